// How many cores this process may use: its affinity, and the share that its cgroup grants (cpu.max).
#pragma once

unsigned cores_allowed(void); // 1 at least
