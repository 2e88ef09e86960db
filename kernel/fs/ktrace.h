/* /dev/ktrace: switch the trace on and off, and rings that programs write themselves. */
#ifndef FS_KTRACE_H
#define FS_KTRACE_H

/* Register the device; before device_fill. */
void ktrace_device_init(void);
#endif
