#include "client/meter.h"

#include "runtime/terminal.h"

#include <inttypes.h>
#include <unistd.h>

/* Nothing that is over sooner needs a picture. */
#define PATIENCE_US 1000000
#define EVERY_US 250000

void cl_meter_begin(struct cl_run *run, bool is_body_on_terminal, struct cg_mono now,
                    struct cl_meter *out)
{
    *out = (struct cl_meter){.up_total = -1, .down_total = -1, .began = now};
    if (cl_is_on(run->args, CL_SILENT) || cl_is_off(run->args, CL_PROGRESS) || run->show->is_json ||
        run->show->is_verbose || is_body_on_terminal || run->show->err != stderr ||
        !cg_terminal_is(STDERR_FILENO))
        return;
    out->to = stderr;
}

static void put_size(FILE *to, uint64_t n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)n;
    size_t unit = 0;

    while (v >= 1024 && unit < 4) {
        v /= 1024;
        unit++;
    }
    fprintf(to, unit == 0 ? "%.0f %s" : "%.1f %s", v, units[unit]);
}

void cl_meter_show(struct cl_meter *meter, uint64_t up, uint64_t down, struct cg_mono now)
{
    if (!meter->to || now.us - meter->began.us < PATIENCE_US ||
        (meter->was_shown && now.us - meter->shown.us < EVERY_US))
        return;
    /* The longer direction is the one people wait for. */
    bool is_up = down == 0 && up > 0;
    uint64_t n = is_up ? up : down;
    int64_t total = is_up ? meter->up_total : meter->down_total;
    uint64_t rate = n * 1000000 / (uint64_t)(now.us - meter->began.us);

    fprintf(meter->to, "\r\033[K%s ", is_up ? "sent" : "received");
    put_size(meter->to, n);
    if (total > 0) {
        fputs(" of ", meter->to);
        put_size(meter->to, (uint64_t)total);
        fprintf(meter->to, ", %d %%", (int)(100.0 * (double)n / (double)total));
    }
    fputs(", ", meter->to);
    put_size(meter->to, rate);
    fputs("/s", meter->to);
    if (total > 0 && rate > 0 && (uint64_t)total > n) {
        uint64_t left = ((uint64_t)total - n) / rate;

        fprintf(meter->to, ", %" PRIu64 ":%02d:%02d left", left / 3600, (int)(left / 60 % 60),
                (int)(left % 60));
    }
    fflush(meter->to);
    meter->shown = now;
    meter->was_shown = true;
}

void cl_meter_end(struct cl_meter *meter)
{
    if (meter->to && meter->was_shown) {
        fputs("\r\033[K", meter->to);
        fflush(meter->to);
    }
    meter->to = NULL;
}
