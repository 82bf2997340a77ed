#include "config/loading.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "config/paths.h"
#include "config/settings.h"
#include "config/value.h"

static enum setting_level level_of(const struct loading *loading, const char *key)
{
    return loading->levels[setting_find(key)];
}

// At different levels the higher one wins: `-r` on the command line sets the interfaces of a file aside.
static bool check_input(struct loading *loading, struct error *error)
{
    struct capture_settings *capture = &loading->settings->capture;
    if (capture->interfaces.count == 0 || capture->read_pcap.count == 0)
        return true;
    enum setting_level live = level_of(loading, "capture.interfaces"),
                       file = level_of(loading, "capture.read_pcap");
    if (live == file)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "capture.interfaces (%s) and capture.read_pcap (%s) exclude each other: packets "
                         "come from interfaces (-i) or from files (-r); "
                         "leave one out",
                         loading->origins[setting_find("capture.interfaces")],
                         loading->origins[setting_find("capture.read_pcap")]);
    loading_drop(loading, (unsigned)setting_find(live < file ? "capture.interfaces" : "capture.read_pcap"));
    return true;
}

static bool check_rotation(const struct settings *settings, struct error *error)
{
    const struct output_settings *output = &settings->output;
    bool rotates = output->write_pcap_rotate_mb > 0, keeps = output->write_pcap_max_files > 0;
    if (rotates != keeps)
        return error_set(
            error, ERROR_INVALID_ARGUMENT,
            "%s is set without %s; rotation needs both: the size of a file and how many are kept",
            rotates ? "output.write_pcap_rotate_mb" : "output.write_pcap_max_files",
            rotates ? "output.write_pcap_max_files" : "output.write_pcap_rotate_mb");
    if (rotates && strcmp(output->write_pcap, "-") == 0)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "stdout cannot rotate; give output.write_pcap a path or leave the rotation out");
    return true;
}

static const char *output_path(const struct settings *settings, unsigned row)
{
    return setting_is_output(&setting_table[row]) ? value_text(settings, &setting_table[row]) : "";
}

static bool is_one_output(const char *path, const char *other)
{
    struct place place = place_of(path, STDOUT_FILENO), beside = place_of(other, STDOUT_FILENO);
    return place_is_same(&place, &beside) || (!place.exists && strcmp(path, other) == 0);
}

static bool rotates(const struct settings *settings, const struct setting *output)
{
    return (output->file == SETTING_PACKETS && settings->output.write_pcap_rotate_mb > 0) ||
           (output->file == SETTING_STREAM && settings->output.rotate_mb > 0);
}

// Whether the place may be one of the numbered files that the output rotates through (and deletes).
static bool is_in_series(const struct place *other, const char *path)
{
    enum { LEAST_DIGITS = 6 };
    struct place output = place_as_spelled(path);
    const char *dot = strrchr(output.name, '.');
    size_t stem = dot != NULL && dot != output.name ? (size_t)(dot - output.name) : strlen(output.name);
    return place_is_beside(other, &output) && strncmp(other->name, output.name, stem) == 0 &&
           other->name[stem] == '.' && strspn(other->name + stem + 1, "0123456789") >= LEAST_DIGITS;
}

static bool check_series(const struct settings *settings, unsigned series, unsigned row, struct error *error)
{
    const char *path = output_path(settings, series), *other = output_path(settings, row);
    if (series == row || path[0] == '\0' || other[0] == '\0' || !rotates(settings, &setting_table[series]))
        return true;
    struct place place = place_as_spelled(other);
    return !is_in_series(&place, path) ||
           error_set(error, ERROR_INVALID_ARGUMENT,
                     "%s goes to %s, a name that the rotation of %s (%s) comes to; give it another one",
                     setting_table[row].key, other, setting_table[series].key, path);
}

static bool check_two_outputs(const struct settings *settings, unsigned first, unsigned second,
                              struct error *error)
{
    const char *path = output_path(settings, first), *other = output_path(settings, second);
    bool to_stdout = strcmp(path, "-") == 0;
    if (path[0] == '\0' || other[0] == '\0' ||
        !((to_stdout && strcmp(other, "-") == 0) || is_one_output(path, other)))
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT, "%s and %s both go to %s; give %s",
                     setting_table[first].key, setting_table[second].key, to_stdout ? "stdout" : path,
                     to_stdout ? "one of them a path" : "each a path of its own");
}

static bool check_outputs(const struct settings *settings, struct error *error)
{
    for (unsigned first = 0; first < setting_count; first++) {
        for (unsigned second = first + 1; second < setting_count; second++) {
            if (!check_two_outputs(settings, first, second, error) ||
                !check_series(settings, first, second, error) ||
                !check_series(settings, second, first, error))
                return false;
        }
    }
    return true;
}

static bool check_input_kept(const struct settings *settings, const char *input, unsigned row,
                             struct error *error)
{
    const struct setting *output = &setting_table[row];
    const char *path = value_text(settings, output);
    struct place in = place_of(input, STDIN_FILENO), out = place_of(path, STDOUT_FILENO);
    const char *name = strcmp(input, "-") == 0 ? "standard input" : input;
    if (place_is_read_back(&in, &out))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s would overwrite the input %s; give it another path", output->key, name);
    if (place_is_directory_of(&in, &out))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s would write into %s, whose captures are read; give it a path elsewhere",
                         output->key, name);
    if (rotates(settings, output) && is_in_series(&in, path))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s would rotate over the input %s and delete it; give it another name", output->key,
                         name);
    return true;
}

static bool check_input_against_outputs(const struct settings *settings, const char *input,
                                        struct error *error)
{
    for (unsigned row = 0; row < setting_count; row++) {
        if (output_path(settings, row)[0] != '\0' && !check_input_kept(settings, input, row, error))
            return false;
    }
    return true;
}

static bool check_inputs_of(const struct settings *settings, const struct setting *setting,
                            struct error *error)
{
    if (setting->type != SETTING_LIST) {
        const char *path = value_text(settings, setting);
        return path[0] == '\0' || check_input_against_outputs(settings, path, error);
    }
    const struct string_list *inputs = value_list(settings, setting);
    for (unsigned i = 0; i < inputs->count; i++) {
        if (!check_input_against_outputs(settings, inputs->items[i], error))
            return false;
    }
    return true;
}

// Opening an output empties it, and rotation deletes files: never an input.
static bool check_overwrite(const struct settings *settings, struct error *error)
{
    if (settings->file != NULL && !check_input_against_outputs(settings, settings->file, error))
        return false;
    for (unsigned row = 0; row < setting_count; row++) {
        const struct setting *setting = &setting_table[row];
        if (setting->file == SETTING_INPUT && !check_inputs_of(settings, setting, error))
            return false;
    }
    return true;
}

static bool check_standard_input(const struct settings *settings, struct error *error)
{
    const struct string_list *captures = &settings->capture.read_pcap;
    if (settings->file == NULL || strcmp(settings->file, "-") != 0)
        return true;
    for (unsigned i = 0; i < captures->count; i++) {
        if (strcmp(captures->items[i], "-") == 0)
            return error_set(error, ERROR_INVALID_ARGUMENT,
                             "standard input cannot be both the settings (--config -) and a capture (-r -); "
                             "give one of them a path");
    }
    return true;
}

bool settings_detect(const struct settings *settings)
{
    const struct anomaly_settings *anomalies = &settings->analysis.anomalies;
    return anomalies->enabled_given ? anomalies->enabled : settings->capture.read_pcap.count > 0;
}

bool settings_serve(const struct settings *settings)
{
    return settings->grpc.enabled || settings->web.listener.enabled;
}

bool settings_listen(const struct settings *settings)
{
    return settings_serve(settings) || settings->metrics.enabled;
}

static bool check_windows(const char *kind, const struct scan_settings *scan, struct error *error)
{
    if (scan->slow_window_secs > scan->common.window_secs)
        return true;
    return error_set(error, ERROR_INVALID_ARGUMENT,
                     "analysis.anomalies.%s.slow_window_secs (%u) must be longer than its window_secs (%u)",
                     kind, scan->slow_window_secs, scan->common.window_secs);
}

// The address itself may hold a password: it is not told.
static bool check_webhook(const struct settings *settings, struct error *error)
{
    const char *url = settings->output.alerts_webhook, *host = strstr(url, "://");
    bool known = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
    if (url[0] == '\0' || (known && host[3] != '\0' && strchr("/?#:", host[3]) == NULL))
        return true;
    return error_set(
        error, ERROR_INVALID_ARGUMENT,
        "output.alerts_webhook must be a URL such as https://alerts.example/hook (http or https, "
        "and a host)");
}

static bool check_alerts(const struct settings *settings, struct error *error)
{
    const struct anomaly_settings *anomalies = &settings->analysis.anomalies;
    if (settings->output.fail_on_alert && !settings_detect(settings))
        return error_set(
            error, ERROR_INVALID_ARGUMENT,
            "output.fail_on_alert (--fail-on-alert) would never fail: nothing looks for attacks%s; set "
            "analysis.anomalies.enabled (--anomalies), or leave it out",
            anomalies->enabled_given ? "" : " in a live capture");
    return check_webhook(settings, error) && check_windows("port_scan", &anomalies->port_scan, error) &&
           check_windows("host_sweep", &anomalies->host_sweep, error);
}

// A listener, as its checks see it.
struct checked_listener {
    const char *section;
    const struct listener_settings *settings;
    bool anywhere; // it may listen in plain to all
};

static bool knows_callers(const struct listener_settings *listener)
{
    return listener->auth.tokens_file[0] != '\0' || listener->tls.client_ca_path[0] != '\0' ||
           listener->auth.enabled;
}

// Whether only this machine reaches the address; false with a sentence where it is none.
static bool check_address(const struct checked_listener *checked, bool *loopback, struct error *error)
{
    const char *bind = checked->settings->bind;
    struct in_addr four;
    struct in6_addr six;
    *loopback = true;
    if (inet_pton(AF_INET, bind, &four) == 1)
        *loopback = ntohl(four.s_addr) >> 24 == 127;
    else if (inet_pton(AF_INET6, bind, &six) == 1)
        *loopback = IN6_IS_ADDR_LOOPBACK(&six);
    else if (bind[0] != '\0')
        return error_set(
            error, ERROR_INVALID_ARGUMENT,
            "%s.bind (%s) is no address; give a literal such as 127.0.0.1 or ::1 (0.0.0.0 or :: for all)",
            checked->section, bind);
    return true;
}

static bool is_http(const struct listener_settings *listener)
{
    return listener->auth.username != NULL;
}

static bool check_tls(const struct checked_listener *checked, struct error *error)
{
    const struct tls_settings *tls = &checked->settings->tls;
    const char *section = checked->section;
    bool has_cert = tls->cert_path[0] != '\0', has_key = tls->key_path[0] != '\0';
    if (tls->enabled && has_cert != has_key)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.tls.cert_path and %s.tls.key_path belong together: give both", section, section);
    // Who opens a page can be asked whether he trusts the certificate that it makes itself; clients of gRPC ask nobody.
    if (tls->enabled && !has_cert && !is_http(checked->settings))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.tls.enabled needs %s.tls.cert_path and %s.tls.key_path", section, section,
                         section);
    if (!tls->enabled && (tls->cert_path[0] != '\0' || tls->client_ca_path[0] != '\0'))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "a certificate or a client CA is given for %s, but %s.tls.enabled is off; set it",
                         section, section);
    return true;
}

static bool check_password(const struct checked_listener *checked, struct error *error)
{
    const struct auth_settings *auth = &checked->settings->auth;
    const char *section = checked->section;
    if (!auth->enabled)
        return true;
    if (auth->username[0] == '\0' || strchr(auth->username, ':') != NULL)
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.auth.enabled needs %s.auth.username, a name without a colon", section, section);
    if ((auth->password[0] == '\0') == (auth->password_file[0] == '\0'))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.auth.enabled needs one of %s.auth.password_file and %s.auth.password%s", section,
                         section, section, auth->password[0] != '\0' ? ", not both" : "");
    return true;
}

static bool check_listener(const struct checked_listener *checked, struct error *error)
{
    const struct listener_settings *listener = checked->settings;
    const char *section = checked->section;
    bool loopback;
    if (!listener->enabled)
        return true;
    if (!check_address(checked, &loopback, error) || !check_tls(checked, error) ||
        !check_password(checked, error))
        return false;
    if (listener->bind[0] == '\0' && listener->socket[0] == '\0')
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.enabled has nowhere to listen: give %s.bind an address or %s.socket a path",
                         section, section, section);
    if (!loopback && !checked->anywhere && !listener->insecure &&
        !(listener->tls.enabled && knows_callers(listener)))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s.bind (%s) is reached from other machines: set %s.tls.enabled, and %s%s"
                         "%s.auth.tokens_file or %s.tls.client_ca_path; or say with %s.insecure that anybody "
                         "may",
                         section, listener->bind, section, is_http(listener) ? section : "",
                         is_http(listener) ? ".auth.enabled, " : "", section, section, section);
    return true;
}

static bool is_any_address(const char *bind)
{
    struct in6_addr six;
    return strcmp(bind, "0.0.0.0") == 0 ||
           (inet_pton(AF_INET6, bind, &six) == 1 && IN6_IS_ADDR_UNSPECIFIED(&six));
}

static bool check_apart(const struct checked_listener *one, const struct checked_listener *other,
                        struct error *error)
{
    const struct listener_settings *left = one->settings, *right = other->settings;
    bool both = left->enabled && right->enabled;
    bool one_port =
        left->port == right->port && left->port != 0 && left->bind[0] != '\0' && right->bind[0] != '\0' &&
        (strcmp(left->bind, right->bind) == 0 || is_any_address(left->bind) || is_any_address(right->bind));
    bool one_socket = left->socket[0] != '\0' && strcmp(left->socket, right->socket) == 0;
    return !both || !(one_port || one_socket) ||
           error_set(error, ERROR_INVALID_ARGUMENT, "%s.%s and %s.%s are the same; give each its own",
                     one->section, one_port ? "port" : "socket", other->section,
                     one_port ? "port" : "socket");
}

// "" or "/a/b": what stands in a URL as it is.
static bool check_base_path(const char *path, struct error *error)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    size_t length = strlen(path);
    bool good = path[0] == '/' && path[length - 1] != '/' && strspn(path, plain) == length &&
                strstr(path, "//") == NULL && strstr(path, "/.") == NULL;
    return length == 0 || good ||
           error_set(
               error, ERROR_INVALID_ARGUMENT,
               "web.base_path (%s) must be a path such as /netscope: a slash in front, none at the end, "
               "letters, digits and -._~",
               path);
}

static bool check_listeners(const struct settings *settings, struct error *error)
{
    const struct checked_listener all[] = {{"grpc", &settings->grpc, false},
                                           {"web", &settings->web.listener, false},
                                           {"metrics", &settings->metrics, true}};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!check_listener(&all[i], error))
            return false;
        for (unsigned other = 0; other < i; other++)
            if (!check_apart(&all[other], &all[i], error))
                return false;
    }
    return check_base_path(settings->web.base_path, error);
}

bool settings_check(const struct settings *settings, struct error *error)
{
    return check_rotation(settings, error) && check_outputs(settings, error) &&
           check_standard_input(settings, error) && check_overwrite(settings, error) &&
           check_alerts(settings, error) && check_listeners(settings, error);
}

bool settings_use_stdout(const struct settings *settings)
{
    for (unsigned row = 0; row < setting_count; row++) {
        if (strcmp(output_path(settings, row), "-") == 0)
            return true;
    }
    return false;
}

bool loading_check(struct loading *loading, struct error *error)
{
    return check_input(loading, error) && settings_check(loading->settings, error);
}

static void warn_repeated(const struct loading *loading, const struct setting *setting)
{
    struct strbuf value;
    strbuf_init(&value, ERROR_TEXT_BYTES);
    value_add(&value, loading->settings, setting);
    log_warning("config", "several flags set %s; the last counts: %s", setting->key,
                setting->secret ? "(not shown)" : value.text);
    strbuf_done(&value);
}

void loading_warn(const struct loading *loading)
{
    const struct output_settings *output = &loading->settings->output;
    for (unsigned i = 0; i < setting_count; i++)
        if (loading->repeated[i])
            warn_repeated(loading, &setting_table[i]);
    if (loading->configs > 1)
        log_warning("config", "several --config name a settings file; the last counts: %s", loading->config);
    if (output->write_pcap_rotate_mb > 0 && output->write_pcap[0] == '\0')
        log_warning("config", "output.write_pcap_rotate_mb has no effect: without output.write_pcap (-w) no "
                              "packets are written");
    if ((output->alerts_jsonl[0] != '\0' || output->alerts_webhook[0] != '\0') &&
        !settings_detect(loading->settings))
        log_warning("config", "no alerts will be written: nothing looks for attacks; set "
                              "analysis.anomalies.enabled (--anomalies)");
}
