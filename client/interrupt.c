#include "client/interrupt.h"

#include <signal.h>
#include <stdatomic.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
#define N_NUMBERS (sizeof numbers / sizeof numbers[0])

static struct sigaction before[N_NUMBERS];
static bool is_caught[N_NUMBERS];
static volatile sig_atomic_t came, is_cleaning;
static struct cg_loop *_Atomic loop;

/* Atomics and one write to a descriptor: what a handler may do. */
static void on_signal(int number)
{
    struct cg_loop *waiting = atomic_load(&loop);

    came = number;
    if (waiting)
        cg_loop_stop(waiting);
}

void cl_interrupt_catch(struct cl_app *app)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    if (atomic_load(&loop))
        return;
    atomic_store(&loop, app->loop);
    for (size_t i = 0; i < N_NUMBERS; i++) {
        is_caught[i] = sigaction(numbers[i], NULL, &before[i]) == 0 &&
                       before[i].sa_handler == SIG_DFL && sigaction(numbers[i], &action, NULL) == 0;
    }
}

void cl_interrupt_release(void)
{
    if (!atomic_load(&loop))
        return;
    for (size_t i = 0; i < N_NUMBERS; i++)
        if (is_caught[i])
            sigaction(numbers[i], &before[i], NULL);
    atomic_store(&loop, NULL);
}

int cl_interrupt_number(void)
{
    return came;
}

void cl_interrupt_clean(void)
{
    is_cleaning = 1;
}

bool cl_interrupt_pending(void)
{
    return came != 0 && !is_cleaning;
}

void cl_interrupt_end(void)
{
    if (came != 0) {
        cl_interrupt_release();
        raise(came);
    }
}
