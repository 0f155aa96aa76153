#include "session/h2_own.h"

#define UNIT 1000000

bool cg_h2_spend(struct cg_h2_budget *budget, struct cg_mono now, int64_t max, int64_t per_s)
{
    int64_t passed = now.us - budget->at.us; /* us times per_s is in millionths */

    if (budget->at.us == 0 || passed > max * UNIT / per_s)
        budget->left = max * UNIT;
    else if (passed > 0)
        budget->left += passed * per_s;
    if (budget->left > max * UNIT)
        budget->left = max * UNIT;
    budget->at = now;
    budget->left -= UNIT;
    return budget->left >= 0;
}

void cg_h2_earn(struct cg_h2_budget *budget, int64_t n, int64_t max)
{
    budget->left += n * UNIT;
    if (budget->left > max * UNIT)
        budget->left = max * UNIT;
}
