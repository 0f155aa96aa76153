/* beat: each loop's sign of life for the watchdog, which is to see when one of them hangs. */
#include "httpcgd/process.h"

#include "gateway/gateway.h"

#include <stdio.h>

#define BEAT_MS 1000
#define BEAT_OF(t, member) ((struct cd_beat *)((char *)(t)-offsetof(struct cd_beat, member)))

static void on_beat(struct cg_timer *timer)
{
    struct cd_beat *beat = BEAT_OF(timer, timer);

    cg_pulse_beat(beat->pulse);
    cg_loop_set(beat->loop, timer, cg_mono_after(cg_loop_mono(beat->loop), BEAT_MS));
}

static void on_first_beat(struct cg_task *task)
{
    on_beat(&BEAT_OF(task, start)->timer);
}

static void let_beat(struct cd_process *p, struct cg_loop *loop, const char *name)
{
    struct cd_beat *beat = &p->beats[p->n_beats++];

    *beat = (struct cd_beat){
        .loop = loop, .pulse = cg_daemon_pulse(p->daemon, name), .start.run = on_first_beat};
    cg_timer_init(&beat->timer, on_beat);
    cg_loop_post(loop, &beat->start);
}

void cd_beats_begin(struct cd_process *p)
{
    let_beat(p, p->service, "service");
    for (size_t i = 0; i < CD_LOOPS_MAX && gw_loop(p->gateway, i); i++) {
        char name[32];

        snprintf(name, sizeof name, "gateway %zu", i);
        let_beat(p, gw_loop(p->gateway, i), name);
    }
}

void cd_beats_end(struct cd_process *p)
{
    for (size_t i = 0; i < p->n_beats; i++)
        cg_pulse_end(p->beats[i].pulse);
    p->n_beats = 0;
}
