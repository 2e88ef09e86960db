/*
 * Variables and parameters. What is exported lives in the environment itself, so that programs get
 * it; everything else is the shell's own. A name is in one of the two.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

int last_status, parameter_count;
pid_t shell_pid, last_background;
char **parameters;

struct variable {
    struct variable *next;
    char *name, *value;
};
static struct variable *variables; /* that are not exported */

/* Where the pointer to it is; or where a new one goes. */
static struct variable **variable_slot(const char *name)
{
    struct variable **at = &variables;

    while (*at && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    return at;
}

static void variable_forget(const char *name)
{
    struct variable **at = variable_slot(name), *gone = *at;

    if (gone) {
        *at = gone->next;
        free(gone->name);
        free(gone->value);
        free(gone);
    }
}

int variable_name_length(const char *text)
{
    int length = 0;

    while (isalpha(text[length]) || text[length] == '_' || (length && isdigit(text[length]))) {
        length++;
    }
    return length;
}

const char *variable_get(const char *name)
{
    static char number[24];
    struct variable *variable;

    if (isdigit(*name)) {
        return atoi(name) < parameter_count ? parameters[atoi(name)] : NULL;
    }
    if (name[0] && name[1] == '\0' && strchr("?$!#", *name)) {
        snprintf(number, sizeof(number), "%d", *name == '?' ? last_status : *name == '$' ? shell_pid
                 : *name == '!' ? last_background : parameter_count - 1);
        return number;
    }
    variable = *variable_slot(name);
    return variable ? variable->value : getenv(name);
}

void variable_set(const char *name, const char *value)
{
    struct variable **at;

    if (getenv(name)) {
        setenv(name, value, 1);
        return;
    }
    at = variable_slot(name);
    if (!*at) {
        *at = calloc(1, sizeof(**at));
        (*at)->name = strdup(name);
    }
    value = strdup(value); /* it may be the old one */
    free((*at)->value);
    (*at)->value = (char *)value;
}

void variable_export(const char *name, const char *value)
{
    const char *now = value ? value : variable_get(name);

    setenv(name, now ? now : "", 1);
    variable_forget(name);
}

void variable_unset(const char *name)
{
    variable_forget(name);
    unsetenv(name);
}

void variables_print(void)
{
    for (char **at = environ; *at; at++) {
        puts(*at);
    }
    for (struct variable *at = variables; at; at = at->next) {
        printf("%s=%s\n", at->name, at->value);
    }
}

void parameters_set(int count, char **values)
{
    static char **base; /* of an earlier set: `shift` moves on from it */
    static int base_count;
    char **all = calloc((size_t)count + 2, sizeof(*all));

    all[0] = parameters[0];
    for (int i = 0; i < count; i++) {
        all[i + 1] = strdup(values[i]);
    }
    for (int i = 0; i < base_count; i++) { /* behind the copies: these may be the values */
        free(base[i]);
    }
    free(base);
    base_count = count;
    base = calloc((size_t)count + 1, sizeof(*base));
    memcpy(base, all + 1, (size_t)count * sizeof(*base));
    parameters = all;
    parameter_count = count + 1;
}
