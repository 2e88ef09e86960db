"""What is on the text screen: characters and their colours, 80 columns of 25 lines, at 0xb8000."""
from baton import memory

cells = memory.read_physical(0xb8000, 80 * 25 * 2)[::2]
print("screen:")
for row in range(25):
    print(cells[row * 80:row * 80 + 80].decode("latin-1").rstrip())
