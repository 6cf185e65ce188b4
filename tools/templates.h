/* SPDX-License-Identifier: Apache-2.0 */
/*
 * templates: the files of tools/templates, each as one text: what `cenote new` writes.
 *
 * In them @KIND@, @NAME@ and what else new.c has a word for stand for what was asked for.
 */
#ifndef CENOTE_TOOLS_TEMPLATES_H
#define CENOTE_TOOLS_TEMPLATES_H

extern const char template_backoff_c[];
extern const char template_backoff_conf[];
extern const char template_backoff_test_c[];
extern const char template_connector_c[];
extern const char template_connector_conf[];
extern const char template_connector_test_c[];
extern const char template_gitignore[];
extern const char template_picker_c[];
extern const char template_picker_conf[];
extern const char template_picker_test_c[];
extern const char template_project_mk[];
extern const char template_readme_md[];
extern const char template_telemetry_c[];
extern const char template_telemetry_conf[];
extern const char template_telemetry_test_c[];
extern const char template_transport_c[];
extern const char template_transport_conf[];
extern const char template_transport_test_c[];

#endif
