/*
 * What the sanitized build (make SANITIZE=1) says of undefined behaviour and of arrays on the stack
 * that are written beyond their end: the compiler puts a check
 * before each shift, index, sum and value that could be undefined, and a call of a function
 * here behind it. Each panics with the place in the source and the values.
 *
 * The functions' names and the structures are the compilers' (gcc and clang have the same): a value
 * of up to 64 bits comes as it is, a longer one by a pointer.
 */
#ifdef SANITIZE
#include "lib/log.h"
#include "lib/printf.h"

struct place {
    const char *file;
    uint32_t line, column;
};

struct type {
    uint16_t kind; /* 0: an integer */
    uint16_t info; /* of an integer: bit 0: signed; above it the logarithm of the width in bits */
    char name[];   /* in quotes */
};

struct checked { /* what all checks have in common: the place, and for most the type of their values */
    struct place place;
    const struct type *type;
};

struct checked_index {
    struct place place;
    const struct type *array, *index;
};

struct checked_shift {
    struct place place;
    const struct type *left, *right;
};

/* Handlers that the compiler calls: it declares them itself. */
#define HANDLER(name, ...)                                                          \
    void __ubsan_handle_##name(__VA_ARGS__) __attribute__((noreturn));             \
    void __ubsan_handle_##name(__VA_ARGS__)
#define REPORT(checked, format, ...)                                                \
    panic("undefined behaviour at %s:%u:%u: " format, (checked)->place.file,       \
          (checked)->place.line, (checked)->place.column, __VA_ARGS__)

struct number {
    char text[24];
};

static bool type_is_signed(const struct type *type)
{
    return type->kind == 0 && (type->info & 1);
}

static struct number ubsan_number(const struct type *type, uint64_t value)
{
    int bits = type->kind == 0 ? 1 << (type->info >> 1) : 64;
    struct number number;

    if (bits > 64) {
        snprintf(number.text, sizeof(number.text), "(%d bits)", bits);
    } else if (type_is_signed(type)) {
        snprintf(number.text, sizeof(number.text), "%ld",
                 (long)(value << (64 - bits)) >> (64 - bits));
    } else {
        snprintf(number.text, sizeof(number.text), "%lu", value);
    }
    return number;
}

static void report_overflow(const struct checked *checked, uint64_t left, char operator,
                            uint64_t right) __attribute__((noreturn));
static void report_overflow(const struct checked *checked, uint64_t left, char operator,
                            uint64_t right)
{
    REPORT(checked, "overflow of %s: %s %c %s", checked->type->name,
           ubsan_number(checked->type, left).text, operator,
           ubsan_number(checked->type, right).text);
}

HANDLER(add_overflow_abort, const struct checked *checked, uint64_t left, uint64_t right)
{
    report_overflow(checked, left, '+', right);
}

HANDLER(sub_overflow_abort, const struct checked *checked, uint64_t left, uint64_t right)
{
    report_overflow(checked, left, '-', right);
}

HANDLER(mul_overflow_abort, const struct checked *checked, uint64_t left, uint64_t right)
{
    report_overflow(checked, left, '*', right);
}

HANDLER(negate_overflow_abort, const struct checked *checked, uint64_t value)
{
    report_overflow(checked, 0, '-', value);
}

/* By zero, or the smallest number by -1. */
HANDLER(divrem_overflow_abort, const struct checked *checked, uint64_t left, uint64_t right)
{
    report_overflow(checked, left, '/', right);
}

HANDLER(shift_out_of_bounds_abort, const struct checked_shift *checked, uint64_t left,
        uint64_t right)
{
    REPORT(checked, "shift of %s, which is %s, by %s", ubsan_number(checked->left, left).text,
           checked->left->name, ubsan_number(checked->right, right).text);
}

HANDLER(out_of_bounds_abort, const struct checked_index *checked, uint64_t index)
{
    REPORT(checked, "index %s of %s", ubsan_number(checked->index, index).text,
           checked->array->name);
}

HANDLER(vla_bound_not_positive_abort, const struct checked *checked, uint64_t bound)
{
    REPORT(checked, "array of %s elements", ubsan_number(checked->type, bound).text);
}

/* Of a bool or an enum. */
HANDLER(load_invalid_value_abort, const struct checked *checked, uint64_t value)
{
    REPORT(checked, "%s with the value %s", checked->type->name,
           ubsan_number(checked->type, value).text);
}

/* __builtin_clz(0) and its like. */
HANDLER(invalid_builtin_abort, const struct checked *checked)
{
    REPORT(checked, "%s", "the number of zeros in 0");
}

/* What the compiler puts between a function's arrays and its return address, and looks at. */
uint64_t __stack_chk_guard = 0x0a0dff00c0ffee00;

void __stack_chk_fail(void) __attribute__((noreturn));
void __stack_chk_fail(void)
{
    panic("stack smashed: an array of this function was written beyond its end");
}

HANDLER(builtin_unreachable, const struct checked *checked)
{
    REPORT(checked, "%s", "what cannot be reached was");
}
#endif
