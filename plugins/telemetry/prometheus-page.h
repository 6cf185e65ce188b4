/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-page: the dashboard: one document of page/, and the policy that it runs under. */
#ifndef CENOTE_PROMETHEUS_PAGE_H
#define CENOTE_PROMETHEUS_PAGE_H

#include <glib.h>

typedef struct Page {
  GBytes *html;
  char *policy;              /* Content-Security-Policy: what is in the document, and nothing from anywhere else */
} Page;

void page_init (Page *page);
void page_clear (Page *page);

/* What the build makes of page/: each is NUL-terminated. */
extern const char prometheus_page_index_html[];
extern const char prometheus_page_style_css[];
extern const char prometheus_page_script_js[];

#endif
