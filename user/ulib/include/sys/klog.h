#ifndef ULIB_SYS_KLOG_H
#define ULIB_SYS_KLOG_H
int klogctl(int action, char *buffer, int size);
#endif
