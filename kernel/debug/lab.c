/* The labs' tests inside the kernel: found in a table that the linker puts together, and run. */
#include "debug/lab.h"

#include "arch/boot.h"
#include "lib/string.h"
#include "sched/sched.h"

extern const struct lab_test lab_tests_start[], lab_tests_end[]; /* boot/kernel.ld */

static const struct lab_test *lab_test_find(const char *option)
{
    for (const struct lab_test *test = lab_tests_start; test < lab_tests_end; test++) {
        size_t size = strlen(test->name);

        if (strncmp(test->name, option, size) == 0 && option[size] == ':') {
            return test;
        }
    }
    return NULL;
}

void lab_test_if_asked(void)
{
    const char *option = boot_option("lab");
    const struct lab_test *test = option ? lab_test_find(option) : NULL;

    if (test) {
        sched_set_affinity(current, 1);
        test->run(parse_number(option + strlen(test->name) + 1, NULL));
        sched_set_affinity(current, UINT64_MAX);
    } else if (option) {
        printk("lab: seen: no test \"%s\" in this kernel\n", option);
    }
}
