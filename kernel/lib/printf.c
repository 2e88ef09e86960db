/* Formatted text into a buffer. No kernel state: compiled on the host for unit tests, too. */
#include "lib/printf.h"
#include "lib/string.h"

struct output {
    char *buffer;
    size_t size, length; /* length grows past size: the caller learns what it needed */
};

struct spec {
    bool left, zero, plus, upper;
    int width, precision, longs;
};

static void format_put(struct output *out, char c)
{
    if (out->length + 1 < out->size) {
        out->buffer[out->length] = c;
    }
    out->length++;
}

static void format_field(struct output *out, const struct spec *spec, const char *text, int length)
{
    int padding = spec->width - length;

    if (!spec->left) {
        while (padding-- > 0) {
            format_put(out, ' ');
        }
    }
    for (int i = 0; i < length; i++) {
        format_put(out, text[i]);
    }
    if (spec->left) {
        while (padding-- > 0) {
            format_put(out, ' ');
        }
    }
}

static void put_number(struct output *out, const struct spec *spec, uint64_t value, unsigned base,
                       const char *prefix)
{
    const char *digits = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[96];
    int at = sizeof(text), minimum = spec->precision >= 0 ? spec->precision : 1;
    int prefix_length = strlen(prefix);

    if (spec->zero && !spec->left && spec->precision < 0) {
        minimum = spec->width - prefix_length;
    }
    if (minimum > 64) {
        minimum = 64;
    }
    while (value || minimum > 0) {
        text[--at] = digits[value % base];
        value /= base;
        minimum--;
    }
    while (prefix_length) {
        text[--at] = prefix[--prefix_length];
    }
    format_field(out, spec, text + at, sizeof(text) - at);
}

static int64_t signed_argument(const struct spec *spec, va_list *args)
{
    int64_t value = spec->longs > 0 ? va_arg(*args, int64_t) : va_arg(*args, int);

    if (spec->longs < 0) {
        value = spec->longs == -1 ? (short)value : (signed char)value;
    }
    return value;
}

static uint64_t unsigned_argument(const struct spec *spec, va_list *args)
{
    uint64_t value = spec->longs > 0 ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int);

    if (spec->longs < 0) {
        value = spec->longs == -1 ? (uint16_t)value : (uint8_t)value;
    }
    return value;
}

static const char *parse_spec(const char *f, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    for (;; f++) {
        if (*f == '-') {
            spec->left = true;
        } else if (*f == '0') {
            spec->zero = true;
        } else if (*f == '+') {
            spec->plus = true;
        } else {
            break;
        }
    }
    if (*f == '*') {
        f++;
        spec->width = va_arg(*args, int);
        if (spec->width < 0) {
            spec->left = true;
            spec->width = -spec->width;
        }
    } else {
        spec->width = parse_number(f, &f);
    }
    if (*f == '.') {
        f++;
        if (*f == '*') {
            f++;
            spec->precision = va_arg(*args, int);
        } else {
            spec->precision = parse_number(f, &f);
        }
    }
    for (; *f == 'l' || *f == 'z' || *f == 'h'; f++) {
        spec->longs += *f == 'h' ? -1 : 1;
    }
    return f;
}

/* One conversion; va_list goes by pointer so that its progress is seen by the caller. */
static void format_convert(struct output *out, struct spec *spec, char kind, va_list *args)
{
    const char *text;
    int64_t number;
    char c;

    switch (kind) {
    case 'd':
    case 'i':
        number = signed_argument(spec, args);
        if (number < 0) {
            put_number(out, spec, -(uint64_t)number, 10, "-");
        } else {
            put_number(out, spec, (uint64_t)number, 10, spec->plus ? "+" : "");
        }
        break;
    case 'u':
        put_number(out, spec, unsigned_argument(spec, args), 10, "");
        break;
    case 'o':
        put_number(out, spec, unsigned_argument(spec, args), 8, "");
        break;
    case 'X':
        spec->upper = true;
        /* fall through */
    case 'x':
        put_number(out, spec, unsigned_argument(spec, args), 16, "");
        break;
    case 'p':
        put_number(out, spec, (uintptr_t)va_arg(*args, void *), 16, "0x");
        break;
    case 'c':
        c = va_arg(*args, int);
        format_field(out, spec, &c, 1);
        break;
    case 's':
        text = va_arg(*args, const char *);
        text = text ? text : "(null)";
        format_field(out, spec, text,
                     spec->precision >= 0 ? strnlen(text, spec->precision) : strlen(text));
        break;
    case '%':
        format_put(out, '%');
        break;
    default:
        format_put(out, '?');
    }
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list args)
{
    struct output out = {buffer, size, 0};
    struct spec spec;
    va_list copy;

    va_copy(copy, args);
    while (*format) {
        if (*format != '%') {
            format_put(&out, *format++);
            continue;
        }
        format = parse_spec(format + 1, &spec, &copy);
        if (!*format) {
            break;
        }
        format_convert(&out, &spec, *format++, &copy);
    }
    va_end(copy);
    if (size) {
        buffer[out.length < size ? out.length : size - 1] = '\0';
    }
    return out.length;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(buffer, size, format, args);
    va_end(args);
    return length;
}
