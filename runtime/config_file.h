/* config_file.h: the files a configuration is read from. */
#ifndef CG_RUNTIME_CONFIG_FILE_H
#define CG_RUNTIME_CONFIG_FILE_H
#include "runtime/config.h"
#include "runtime/yaml.h"

/* cg_config_file_read reads and parses a file; what is wrong with it is added to problems and
 * *out is then NULL, as it is for an empty one.
 * Errors  CG_NO_MEMORY only. */
CG_MUST_USE cg_err cg_config_file_read(const char *path, struct cg_arena *arena,
                                       struct cg_problems *problems, struct cg_yaml **out,
                                       bool *is_open_to_others);
/* cg_config_folder_of gives the folder a file is in, as relative paths need it: NULL for a file in
 * the current one, or for no file. */
CG_MUST_USE cg_err cg_config_folder_of(const char *file, struct cg_arena *arena, const char **out);

/* A file of a folder of rows; bytes.at is NULL unless it is a change that was not made yet. */
struct cg_row_file {
    const char *path;
    struct cg_span bytes;
};

/* cg_config_folder_list lists *.yaml in a folder in the order of their names, as it would be after
 * the change (or NULL). A folder that is not there is empty.
 * Errors  CG_NO_MEMORY only; what else is wrong is added to problems. */
CG_MUST_USE cg_err cg_config_folder_list(const char *folder, const struct cg_config_change *change,
                                         struct cg_arena *arena, struct cg_problems *problems,
                                         struct cg_row_file **out, size_t *n);

#endif
