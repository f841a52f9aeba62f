/*
 * Text from the network on a terminal: what it may act upon goes as '?'. Controls of C1 (ECMA-48)
 * come in UTF-8 as two octets from 0x80 on, so nothing from there on is left.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

static inline char printable(char c)
{
	return c >= ' ' && c < 0x7f ? c : '?'; /* from 0x80 on: negative, or above, as char is */
}

static inline void printable_write(FILE *f, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fputc(printable(text[i]), f);
}
