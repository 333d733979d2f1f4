/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small printf. Each directive is parsed into struct directive, then rendered through emit(),
 * which counts every character and stores those that fit, so truncation needs no special case.
 * A directive outside the subset is our own bug: assert.
 */
#include "base/fmt.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct out {
	char *buf;
	size_t size, length;
};

struct directive {
	bool zero;	  /* pad with 0 instead of blanks */
	bool left;	  /* pad on the right */
	size_t width;	  /* at least so many characters */
	size_t precision; /* %s: at most so many */
	bool has_precision;
	unsigned int longs; /* number of l; z counts as one: LP64 */
};

static void emit(struct out *out, char c)
{
	if (out->length + 1 < out->size)
		out->buf[out->length] = c;
	out->length++;
}

static void emit_padded(struct out *out, const struct directive *d, const char *text, size_t length)
{
	size_t pad = d->width > length ? d->width - length : 0;

	for (; !d->left && pad; pad--)
		emit(out, d->zero ? '0' : ' ');
	for (size_t i = 0; i < length; i++)
		emit(out, text[i]);
	for (; pad; pad--)
		emit(out, ' ');
}

static void emit_number(struct out *out, const struct directive *d, uint64_t value,
			unsigned int base, bool negative)
{
	struct directive rest = *d;
	char digits[24];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative && d->zero && d->width) {
		/* The sign stands before the zeroes. */
		emit(out, '-');
		rest.width--;
	} else if (negative) {
		digits[--n] = '-';
	}
	emit_padded(out, &rest, digits + n, sizeof(digits) - n);
}

static const char *parse_number(const char *p, size_t *ret)
{
	*ret = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		*ret = *ret * 10 + (size_t)(*p - '0');
	return p;
}

/* Reads what stands between '%' and the conversion letter. "%.*s" takes its precision from ap. */
static const char *parse_directive(const char *p, struct directive *d, va_list *ap)
{
	*d = (struct directive){0};
	for (; *p == '0' || *p == '-'; p++) {
		d->zero |= *p == '0';
		d->left |= *p == '-';
	}
	p = parse_number(p, &d->width);
	if (*p == '.') {
		d->has_precision = true;
		if (p[1] == '*') {
			int precision = va_arg(*ap, int);

			d->precision = precision > 0 ? (size_t)precision : 0;
			p += 2;
		} else {
			p = parse_number(p + 1, &d->precision);
		}
	}
	for (; *p == 'l' || *p == 'z' || *p == 'h'; p++)
		d->longs += *p != 'h';
	return p;
}

static void emit_signed(struct out *out, const struct directive *d, va_list *ap)
{
	int64_t value = d->longs ? va_arg(*ap, long) : va_arg(*ap, int);
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	emit_number(out, d, magnitude, 10, value < 0);
}

static void emit_string(struct out *out, const struct directive *d, const char *text)
{
	emit_padded(out, d, text, d->has_precision ? strnlen(text, d->precision) : strlen(text));
}

static void emit_directive(struct out *out, const struct directive *d, char conversion, va_list *ap)
{
	char c;

	switch (conversion) {
	case 's':
		emit_string(out, d, va_arg(*ap, const char *));
		break;
	case 'd':
	case 'i':
		emit_signed(out, d, ap);
		break;
	case 'u':
	case 'x':
		emit_number(out, d,
			    d->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int),
			    conversion == 'u' ? 10 : 16, false);
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		emit_padded(out, d, &c, 1);
		break;
	default:
		assert(conversion == '%');
		emit(out, '%');
	}
}

size_t svf_vfmt(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out out = {.buf = buf, .size = size};
	struct directive d;
	va_list args;

	assert(size > 0);
	va_copy(args, ap);
	for (const char *p = fmt; *p; p++) {
		if (*p != '%') {
			emit(&out, *p);
			continue;
		}
		p = parse_directive(p + 1, &d, &args);
		emit_directive(&out, &d, *p, &args);
	}
	va_end(args);
	buf[out.length < size ? out.length : size - 1] = '\0';
	return out.length;
}

size_t svf_fmt(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t length;

	va_start(ap, fmt);
	length = svf_vfmt(buf, size, fmt, ap);
	va_end(ap);
	return length;
}
