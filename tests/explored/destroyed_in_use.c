/* An object goes with its last user; but whether one is the last is looked at when the lock has been given
 * back, in an object that may be gone. Right: decided under the lock. */
#include <sys/mman.h>

#include "explored.h"

struct object {
    pthread_mutex_t mutex;
    int users;
};
static struct object *object;

static void *drop(void *unused)
{
    IF_RIGHT(bool last;)

    pthread_mutex_lock(&object->mutex);
    object->users--;
    IF_RIGHT(last = object->users == 0;)
    pthread_mutex_unlock(&object->mutex);
    if (IF_RIGHT(last) IF_WRONG(object->users == 0)) {
        munmap(object, 4096);
    }
    return unused;
}

int main(void)
{
    object = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(&object->mutex, NULL);
    object->users = 2;
    two_threads(drop, drop);
    return 0;
}
