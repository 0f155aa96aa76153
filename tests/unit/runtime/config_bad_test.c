#include "tests/support/check.h"

#include "lib/base/span.h"
#include "lib/base/try.h"
#include "tests/unit/runtime/demo_options.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* tests/vectors/config-bad: name.yaml is broken, name.txt is what --check-config says of it. */
#define FOLDER HTTPCG_VECTORS "/config-bad/"

static size_t read_text(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(out, 1, room - 1, file) : 0;

    if (file)
        fclose(file);
    out[len] = '\0';
    return len;
}

/* The place of the sources is nobody's business here. */
static void strip_folder(char *text)
{
    size_t len = strlen(FOLDER);

    for (char *hit; (hit = strstr(text, FOLDER));)
        memmove(hit, hit + len, strlen(hit + len) + 1);
}

static void check_file(const char *name)
{
    char path[512], want[8192], got[16384];
    struct cg_problems problems = {0};
    CG_AUTO(buf) struct cg_buf text;
    struct cg_config *config = NULL;
    struct cg_config_source source = {.file = path, .tables = demo_tables, .n_tables = 2};

    snprintf(path, sizeof path, FOLDER "%s.txt", name);
    read_text(path, want, sizeof want);
    snprintf(path, sizeof path, FOLDER "%s.yaml", name);
    bool is_refused = CHECK_ERR(cg_config_load(&source, &problems, &config), CG_CONFIG);
    CHECK(config == NULL);
    cg_config_unref(config);
    cg_buf_init(&text, sizeof got - 1);
    CHECK_OK(cg_problems_text(&problems, &text));
    snprintf(got, sizeof got, "%.*s", (int)text.len, text.len ? (const char *)text.at : "");
    strip_folder(got);
    if (!CHECK(is_refused && strcmp(got, want) == 0))
        printf("# %s.yaml\n# got:  %s# want: %s\n", name, got, want);
}

TEST(every_broken_file_is_refused_with_its_place_and_its_sentence)
{
    DIR *dir = opendir(FOLDER);
    unsigned n = 0;

    CHECK_OR_STOP(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        char name[256];

        if (len < 6 || strcmp(entry->d_name + len - 5, ".yaml") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(len - 5), entry->d_name);
        check_file(name);
        n++;
    }
    closedir(dir);
    CHECK(n >= 70);
}

SUITE(config_bad, T(every_broken_file_is_refused_with_its_place_and_its_sentence))
