"""Five asyncio tasks tick while another one reads: plainly, or when the loop says that it can."""
import asyncio
import os
import sys
import time

ticks = 0


async def tick() -> None:
    global ticks
    while True:
        await asyncio.sleep(0.05)
        ticks += 1


async def main() -> None:
    loop = asyncio.get_running_loop()
    tickers = [asyncio.create_task(tick()) for _ in range(5)]
    await asyncio.sleep(0.2)
    before, start = ticks, time.monotonic()
    if sys.argv[1] == "aware":
        ready = asyncio.Event()
        loop.add_reader(0, ready.set)
        await ready.wait()
        loop.remove_reader(0)
    os.read(0, 100)
    print(ticks - before, round((time.monotonic() - start) * 1000))
    for ticker in tickers:
        ticker.cancel()


asyncio.run(main())
