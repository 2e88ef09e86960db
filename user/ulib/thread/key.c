/* Thread-specific data: a value for each key and thread, and what becomes of it at the end. */
#include "thread.h"

unsigned keys_lock;

static struct {
    bool used;
    void (*destructor)(void *); /* atomic: threads that end read it */
} keys[PTHREAD_KEYS_MAX];

int pthread_key_create(pthread_key_t *result, void (*destructor)(void *))
{
    int error = EAGAIN;

    lock_take(&keys_lock);
    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
        if (!keys[key].used) {
            keys[key].used = true;
            __atomic_store_n(&keys[key].destructor, destructor, __ATOMIC_RELEASE);
            *result = key;
            error = 0;
            break;
        }
    }
    lock_drop(&keys_lock);
    return error;
}

int pthread_key_delete(pthread_key_t key)
{
    int error = EINVAL;

    lock_take(&keys_lock);
    if (key < PTHREAD_KEYS_MAX && keys[key].used) {
        __atomic_store_n(&keys[key].destructor, NULL, __ATOMIC_RELEASE);
        threads_clear_key(key); /* whoever gets the key next finds no value in any thread */
        keys[key].used = false;
        error = 0;
    }
    lock_drop(&keys_lock);
    return error;
}

void *pthread_getspecific(pthread_key_t key)
{
    return key < PTHREAD_KEYS_MAX ? thread_self()->values[key] : NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    if (key >= PTHREAD_KEYS_MAX || !keys[key].used) {
        return EINVAL;
    }
    thread_self()->values[key] = (void *)value;
    thread_self()->has_values = true;
    return 0;
}

/* A destructor may set values anew: look again, as often as POSIX has it. */
void keys_destroy(struct thread *self)
{
    for (int i = 0; i < PTHREAD_DESTRUCTOR_ITERATIONS && self->has_values; i++) {
        self->has_values = false;
        for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
            void *value = self->values[key];
            void (*destructor)(void *) = __atomic_load_n(&keys[key].destructor, __ATOMIC_ACQUIRE);

            if (value && destructor) {
                self->values[key] = NULL;
                destructor(value);
            }
        }
    }
}
