/* printf: %d i u x X o c s p f %, flags - 0 + space #, width, precision, *, hh h l ll z. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct output {
    char *buffer;
    size_t size, length;
};

struct spec {
    int left, zero, plus, space, alternate, width, precision, size;
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size) {
        out->buffer[out->length] = c;
    }
    out->length++;
}

static void pad(struct output *out, char c, int count)
{
    while (count-- > 0) {
        put(out, c);
    }
}

/* A prefix (sign, 0x), zeroes, and the text, in a field of spec->width. */
static void field(struct output *out, const struct spec *spec, const char *prefix, int zeroes,
                  const char *text, int length)
{
    int fill = spec->width - (int)strlen(prefix) - zeroes - length;

    if (!spec->left) {
        pad(out, ' ', fill);
    }
    while (*prefix) {
        put(out, *prefix++);
    }
    pad(out, '0', zeroes);
    for (int i = 0; i < length; i++) {
        put(out, text[i]);
    }
    if (spec->left) {
        pad(out, ' ', fill);
    }
}

static void number(struct output *out, struct spec *spec, unsigned long value, const char *prefix,
                   unsigned base, const char *digits)
{
    char text[24];
    int at = sizeof(text), zeroes;

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value);
    if (spec->precision == 0 && at == sizeof(text) - 1 && text[at] == '0') {
        at++;
    }
    zeroes = spec->precision - (int)(sizeof(text) - (unsigned)at);
    if (spec->precision < 0 && spec->zero && !spec->left) {
        zeroes = spec->width - (int)strlen(prefix) - (int)(sizeof(text) - (unsigned)at);
    }
    field(out, spec, prefix, zeroes > 0 ? zeroes : 0, text + at, (int)sizeof(text) - at);
}

static const char *sign_of(const struct spec *spec, int negative)
{
    return negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
}

static void real(struct output *out, struct spec *spec, double value)
{
    int precision = spec->precision < 0 ? 6 : spec->precision > 17 ? 17 : spec->precision;
    int negative = value < 0, length;
    unsigned long scale = 1, whole, part;
    double rest;
    char text[48];

    for (int i = 0; i < precision; i++) {
        scale *= 10;
    }
    value = negative ? -value : value;
    whole = (unsigned long)value;
    rest = (value - (double)whole) * (double)scale;
    part = (unsigned long)rest;
    rest -= (double)part;
    part += rest > 0.5 || (rest == 0.5 && ((precision ? part : whole) & 1)); /* half: to even */
    if (part >= scale) {
        whole++;
        part -= scale;
    }
    length = precision ? snprintf(text, sizeof(text), "%lu.%0*lu", whole, precision, part)
                       : snprintf(text, sizeof(text), "%lu", whole);
    field(out, spec, sign_of(spec, negative),
          spec->zero && !spec->left ? spec->width - length - negative : 0, text, length);
}

static const char *parse(const char *at, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    for (;; at++) {
        if (*at == '-') {
            spec->left = 1;
        } else if (*at == '0') {
            spec->zero = 1;
        } else if (*at == '+') {
            spec->plus = 1;
        } else if (*at == ' ') {
            spec->space = 1;
        } else if (*at == '#') {
            spec->alternate = 1;
        } else {
            break;
        }
    }
    if (*at == '*') {
        spec->width = va_arg(*args, int);
        if (spec->width < 0) {
            spec->left = 1;
            spec->width = -spec->width;
        }
        at++;
    }
    while (*at >= '0' && *at <= '9') {
        spec->width = spec->width * 10 + *at++ - '0';
    }
    if (*at == '.') {
        spec->precision = 0;
        if (*++at == '*') {
            spec->precision = va_arg(*args, int);
            at++;
        }
        while (*at >= '0' && *at <= '9') {
            spec->precision = spec->precision * 10 + *at++ - '0';
        }
    }
    for (;; at++) {
        if (*at == 'l' || *at == 'z' || *at == 'j' || *at == 't') {
            spec->size = 8;
        } else if (*at == 'h') {
            spec->size = spec->size == 2 ? 1 : 2;
        } else {
            return at;
        }
    }
}

static void convert(struct output *out, struct spec *spec, char kind, va_list *args)
{
    long value;
    char c;

    switch (kind) {
    case 'd':
    case 'i':
        value = spec->size == 8 ? va_arg(*args, long) : va_arg(*args, int);
        value = spec->size == 1 ? (signed char)value : spec->size == 2 ? (short)value : value;
        number(out, spec, value < 0 ? -(unsigned long)value : (unsigned long)value,
               sign_of(spec, value < 0), 10, "0123456789");
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        value = spec->size == 8 ? va_arg(*args, long) : (long)va_arg(*args, unsigned);
        value = spec->size == 1 ? (unsigned char)value : spec->size == 2 ? (unsigned short)value
                                                                          : value;
        number(out, spec, (unsigned long)value,
               spec->alternate && value && kind != 'u' ? kind == 'o' ? "0" : "0x" : "",
               kind == 'u' ? 10 : kind == 'o' ? 8 : 16,
               kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef");
        break;
    case 'p':
        number(out, spec, (unsigned long)va_arg(*args, void *), "0x", 16, "0123456789abcdef");
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        field(out, spec, "", 0, &c, 1);
        break;
    case 's': {
        const char *s = va_arg(*args, const char *);

        s = s ? s : "(null)";
        field(out, spec, "", 0, s,
              (int)(spec->precision >= 0 ? strnlen(s, (size_t)spec->precision) : strlen(s)));
        break;
    }
    case 'f':
        real(out, spec, va_arg(*args, double));
        break;
    default:
        put(out, kind);
    }
}

static int format(struct output *out, const char *at, va_list *args)
{
    struct spec spec;

    for (; *at; at++) {
        if (*at != '%') {
            put(out, *at);
            continue;
        }
        at = parse(at + 1, &spec, args);
        if (!*at) {
            break;
        }
        convert(out, &spec, *at, args);
    }
    return (int)out->length;
}

int vsnprintf(char *buffer, size_t size, const char *text, va_list args)
{
    struct output out = {.buffer = buffer, .size = size};
    va_list copy;
    int length;

    va_copy(copy, args);
    length = format(&out, text, &copy);
    va_end(copy);
    if (size) {
        buffer[out.length < size ? out.length : size - 1] = '\0';
    }
    return length;
}

int vfprintf(FILE *file, const char *text, va_list args)
{
    char buffer[512], *large;
    int length = vsnprintf(buffer, sizeof(buffer), text, args);

    if (length < (int)sizeof(buffer)) {
        fwrite(buffer, 1, (size_t)length, file);
        return length;
    }
    large = malloc((size_t)length + 1);
    if (!large) {
        return -1;
    }
    vsnprintf(large, (size_t)length + 1, text, args);
    fwrite(large, 1, (size_t)length, file);
    free(large);
    return length;
}

#define WITH_ARGS(call)        \
    va_list args;              \
    int length;                \
    va_start(args, text);      \
    length = call;             \
    va_end(args);              \
    return length

int printf(const char *text, ...)
{
    WITH_ARGS(vfprintf(stdout, text, args));
}

int fprintf(FILE *file, const char *text, ...)
{
    WITH_ARGS(vfprintf(file, text, args));
}

int snprintf(char *buffer, size_t size, const char *text, ...)
{
    WITH_ARGS(vsnprintf(buffer, size, text, args));
}
