/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that clients had a hand in, made fit for terminals and JSON. */
#ifndef SVF_HOST_FILES_TEXT_H
#define SVF_HOST_FILES_TEXT_H

/* Every byte that is no printable ASCII becomes '?'. */
static inline void svf_text_clean(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

#endif
