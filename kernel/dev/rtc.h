/* The battery clock. */
#ifndef DEV_RTC_H
#define DEV_RTC_H

#include "lib/types.h"

/* Seconds since 1970, UTC. */
int64_t rtc_read(void);

#endif
