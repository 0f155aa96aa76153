/* C2SP tlog-policy, "Defining the quorum". */
#include "tests/support/check.h"

#include "lib/merkle/tlog.h"

static struct cg_quorum_node witness(uint16_t parent)
{
    return (struct cg_quorum_node){.parent = parent};
}

static struct cg_quorum_node group(uint16_t parent, uint16_t k, uint16_t n)
{
    return (struct cg_quorum_node){.is_group = true, .parent = parent, .k = k, .n = n};
}

/* The standard's example: two of X1 X2 X3, and any of Y1 Y2 Y3. */
static struct cg_quorum example(void)
{
    struct cg_quorum q = {.n_nodes = 9, .goal = 8};

    for (size_t i = 0; i < 3; i++)
        q.nodes[i] = witness(3);
    q.nodes[3] = group(8, 2, 3);
    for (size_t i = 4; i < 7; i++)
        q.nodes[i] = witness(7);
    q.nodes[7] = group(8, 1, 3);
    q.nodes[8] = group(CG_GROUP_NONE, 2, 2);
    return q;
}

TEST(the_standards_example_is_met_by_two_of_x_and_any_of_y)
{
    struct cg_quorum q = example();

    for (unsigned set = 0; set < 64; set++) {
        bool has_signed[CG_WITNESSES_MAX + CG_GROUPS_MAX] = {set & 1, set & 2,  set & 4, false,
                                                             set & 8, set & 16, set & 32};
        int n_x = __builtin_popcount(set & 7), n_y = __builtin_popcount(set >> 3);

        CHECK_INT(cg_quorum_met(&q, has_signed), n_x >= 2 && n_y >= 1);
    }
}

TEST(a_single_witness_can_be_the_goal)
{
    struct cg_quorum q = {.n_nodes = 2, .goal = 1};
    bool has_signed[CG_WITNESSES_MAX + CG_GROUPS_MAX] = {true, false};

    q.nodes[0] = q.nodes[1] = witness(CG_GROUP_NONE);
    CHECK(!cg_quorum_met(&q, has_signed));
    has_signed[1] = true;
    CHECK(cg_quorum_met(&q, has_signed));
    CHECK(!cg_quorum_counts(&q, 0));
    CHECK(cg_quorum_counts(&q, 1));
}

TEST(groups_do_not_sign_for_themselves)
{
    struct cg_quorum q = example();
    bool has_signed[CG_WITNESSES_MAX + CG_GROUPS_MAX] = {false};

    has_signed[3] = has_signed[7] = has_signed[8] = true;
    CHECK(!cg_quorum_met(&q, has_signed));
}

TEST(whoever_stands_outside_the_goal_does_not_count)
{
    struct cg_quorum q = example();
    bool has_signed[CG_WITNESSES_MAX + CG_GROUPS_MAX] = {true, true, false, false, true};

    CHECK(cg_quorum_met(&q, has_signed));
    for (size_t i = 0; i < q.n_nodes; i++)
        CHECK(cg_quorum_counts(&q, i));
    q.goal = 3;
    CHECK(cg_quorum_counts(&q, 1));
    CHECK(!cg_quorum_counts(&q, 4));
    CHECK(!cg_quorum_counts(&q, 8));
    q.is_none = true;
    has_signed[0] = has_signed[1] = has_signed[4] = false;
    CHECK(cg_quorum_met(&q, has_signed));
    CHECK(!cg_quorum_counts(&q, 1));
}

SUITE(quorum, T(the_standards_example_is_met_by_two_of_x_and_any_of_y),
      T(a_single_witness_can_be_the_goal), T(groups_do_not_sign_for_themselves),
      T(whoever_stands_outside_the_goal_does_not_count))
