/* /dev/explore: many runs of a program in one boot, each by a schedule; see explore.c. */
#ifndef DEBUG_EXPLORE_H
#define DEBUG_EXPLORE_H

/* Register the device, under sched=explore; before device_fill. */
void explore_device_init(void);
#endif
