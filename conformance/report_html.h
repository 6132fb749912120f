/* SPDX-License-Identifier: MIT */
/* The parts of the HTML page that are constant text. */
#ifndef CONFORMANCE_REPORT_HTML_H
#define CONFORMANCE_REPORT_HTML_H

/* Classes: of rows and badges the profiles ("c17"), of badges the verdict and "good", "poor" or
 * "open". */
extern const char report_html_style[], report_html_script[];

#endif
