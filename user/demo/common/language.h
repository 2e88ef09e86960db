/*
 * In which language a lesson speaks. Its texts stand in the sources in English; user/demo/zh.po has
 * them in Chinese, for those whose environment asks for that.
 */
#ifndef LANGUAGE_H
#define LANGUAGE_H
#include <stdbool.h>

/* From now on Chinese, if LC_ALL, LC_MESSAGES or LANG say so; or English in any case. */
void language_start(bool english);

/* The text in the reader's language, with the same printf directives in the same order. */
const char *translate(const char *english) __attribute__((format_arg(1)));

/* The same in a column of a table: as %*s, but a Chinese character is two wide. Valid for 16 calls. */
const char *cell(int width, const char *english);

/* How many bytes of it no line break may divide, blanks aside: a word, or a Chinese character with the
 * marks that belong to it. And how many columns so many bytes take on a terminal. */
int text_piece(const char *text);
int text_columns(const char *text, int bytes);
#endif
