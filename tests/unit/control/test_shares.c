#include "control/control.h"

#include <criterion/criterion.h>

enum { MB = 1 << 20 };

Test(control, takes_a_part_of_the_memory_limit_for_files)
{
    cr_expect_eq(control_chunk_bytes(false, 0), 64 * MB);
    cr_expect_eq(control_chunk_bytes(false, 16 * MB), 8 * MB, "as many as a reader needs");
    cr_expect_eq(control_chunk_bytes(false, 128 * MB), 16 * MB);
    cr_expect_eq(control_chunk_bytes(false, UINT64_C(64) << 30), 64 * MB);
    cr_expect_eq(control_chunk_bytes(true, 128 * MB), 64 * MB, "live, the limit is the user's to set");
}

Test(control, caps_the_flows_of_files_under_a_memory_limit)
{
    cr_expect_eq(control_file_flows(0), 0, "no cap");
    cr_expect_eq(control_file_flows(128 * MB), 65536);
    cr_expect_leq(control_file_flows(512 * MB) * CONTROL_FLOW_BYTES, 128 * MB);
}
