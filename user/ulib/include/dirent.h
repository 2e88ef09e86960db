#ifndef ULIB_DIRENT_H
#define ULIB_DIRENT_H
#include <sys/types.h>
struct dirent {
    unsigned long d_ino;
    long d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[256];
};
enum { DT_DIR = 4, DT_REG = 8, DT_LNK = 10 };
typedef struct DIR DIR;
DIR *opendir(const char *path);
struct dirent *readdir(DIR *dir);
int closedir(DIR *dir);
#endif
