// What each command does. Returns the exit code; complaints were told on standard error.
#pragma once

#include "ctl/command.h"

enum ctl_exit run_status(const struct invocation *given);
enum ctl_exit run_interfaces(const struct invocation *given);
enum ctl_exit run_flows(const struct invocation *given);
enum ctl_exit run_top(const struct invocation *given);
enum ctl_exit run_alerts(const struct invocation *given);
enum ctl_exit run_capture(const struct invocation *given);
enum ctl_exit run_config_get(const struct invocation *given);
enum ctl_exit run_config_apply(const struct invocation *given);
enum ctl_exit run_config_reset(const struct invocation *given);
enum ctl_exit run_start(const struct invocation *given);
enum ctl_exit run_stop(const struct invocation *given);
enum ctl_exit run_relay(const struct invocation *given);
enum ctl_exit run_version(const struct invocation *given);
enum ctl_exit run_completion(const struct invocation *given);
enum ctl_exit run_complete(const struct invocation *given);
