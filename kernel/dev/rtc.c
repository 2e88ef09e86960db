/* The battery clock (MC146818): read until two readings agree. */
#include "dev/rtc.h"

#include "arch/cpu.h"
#include "lib/string.h"

static uint8_t cmos_read(uint8_t reg)
{
    outb(0x70, reg);
    return inb(0x71);
}

static int from_bcd(uint8_t value, bool bcd)
{
    return bcd ? (value >> 4) * 10 + (value & 15) : value;
}

int64_t rtc_read(void)
{
    static const uint8_t regs[6] = {0, 2, 4, 7, 8, 9};
    uint8_t now[6] = {0}, before[6];
    bool bcd = !(cmos_read(11) & 4);
    int64_t year, month, days;

    do {
        memcpy(before, now, 6);
        for (int i = 0; i < 6; i++) {
            now[i] = cmos_read(regs[i]);
        }
    } while (memcmp(before, now, 6) != 0);
    year = 2000 + from_bcd(now[5], bcd);
    month = from_bcd(now[4], bcd);
    /* Days since 1970 by counting the year from March, so that the leap day is its last. */
    year -= month <= 2;
    days = year * 365 + year / 4 - year / 100 + year / 400 +
           (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + from_bcd(now[3], bcd) - 1 - 719468;
    return ((days * 24 + from_bcd(now[2], bcd)) * 60 + from_bcd(now[1], bcd)) * 60 +
           from_bcd(now[0], bcd);
}
