#include "config/loading.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "config/settings.h"
#include "config/value.h"

enum { OUTPUTS = 6 };

static const char *const output_keys[OUTPUTS] = {
    "output.summary_json", "output.write_pcap",          "output.export_json",
    "output.export_csv",   "output.expired_flows_jsonl", "output.expired_flows_csv",
};

static const char *output_path(const struct settings *settings, unsigned output)
{
    const struct output_settings *paths = &settings->output;
    const char *const all[OUTPUTS] = {paths->summary_json,        paths->write_pcap,
                                      paths->export_json,         paths->export_csv,
                                      paths->expired_flows_jsonl, paths->expired_flows_csv};
    return all[output];
}

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
        return error_set(
            error, ERROR_INVALID_ARGUMENT,
            "%s and %s exclude each other: packets come from interfaces (-i) or from files (-r); "
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

// Where a path lies, whether or not there is a file yet.
struct place {
    bool known;
    struct stat directory;
    const char *name; // behind the last slash
};

static struct place place_of(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    struct place place = {.name = path + length};
    if (length >= sizeof directory || strcmp(path, "-") == 0)
        return place;
    memcpy(directory, path, length);
    strcpy(directory + length, ".");
    place.known = stat(directory, &place.directory) == 0;
    return place;
}

static bool is_same_inode(const struct stat *left, const struct stat *right)
{
    return left->st_dev == right->st_dev && left->st_ino == right->st_ino;
}

static bool is_same_directory(const struct place *left, const struct place *right)
{
    return left->known && right->known && is_same_inode(&left->directory, &right->directory);
}

// Whether both paths are one regular file that exists.
static bool is_same_file(const char *left_path, const char *right_path)
{
    struct stat left, right;
    if (strcmp(left_path, "-") == 0 || stat(left_path, &left) != 0 || stat(right_path, &right) != 0)
        return false;
    return S_ISREG(left.st_mode) && is_same_inode(&left, &right);
}

static bool is_one_output(const char *left_path, const char *right_path)
{
    if (strcmp(left_path, right_path) == 0 || is_same_file(left_path, right_path))
        return true;
    struct place left = place_of(left_path), right = place_of(right_path);
    return is_same_directory(&left, &right) && strcmp(left.name, right.name) == 0;
}

static bool check_two_outputs(const struct settings *settings, unsigned first, unsigned second,
                              struct error *error)
{
    const char *path = output_path(settings, first), *other = output_path(settings, second);
    if (path[0] == '\0' || other[0] == '\0' || !is_one_output(path, other))
        return true;
    bool to_stdout = strcmp(path, "-") == 0;
    return error_set(error, ERROR_INVALID_ARGUMENT, "%s and %s both go to %s; give %s", output_keys[first],
                     output_keys[second], to_stdout ? "stdout" : path,
                     to_stdout ? "one of them a path" : "each a path of its own");
}

static bool check_outputs(const struct settings *settings, struct error *error)
{
    for (unsigned first = 0; first < OUTPUTS; first++) {
        for (unsigned second = first + 1; second < OUTPUTS; second++) {
            if (!check_two_outputs(settings, first, second, error))
                return false;
        }
    }
    return true;
}

// Whether the input may be one of the numbered files that the output rotates through (and deletes).
static bool is_in_series(const char *input, const char *output)
{
    struct place in = place_of(input), out = place_of(output);
    const char *dot = strrchr(out.name, '.');
    size_t stem = dot != NULL && dot != out.name ? (size_t)(dot - out.name) : strlen(out.name);
    return is_same_directory(&in, &out) && strncmp(in.name, out.name, stem) == 0 && in.name[stem] == '.';
}

static bool is_directory_of(const char *directory, const char *output)
{
    struct stat status;
    struct place place = place_of(output);
    return place.known && stat(directory, &status) == 0 && is_same_inode(&status, &place.directory);
}

static bool rotates(const struct settings *settings, const char *path)
{
    const struct output_settings *output = &settings->output;
    bool recorder = path == output->write_pcap;
    bool stream = path == output->expired_flows_jsonl || path == output->expired_flows_csv;
    return (recorder && output->write_pcap_rotate_mb > 0) || (stream && output->rotate_mb > 0);
}

static bool check_input_kept(const struct settings *settings, const char *input, unsigned output,
                             struct error *error)
{
    const char *path = output_path(settings, output), *key = output_keys[output];
    if (is_same_file(input, path))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s would overwrite the input %s; give it another path", key, input);
    if (is_directory_of(input, path))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s would write into %s, whose captures are read; give it a path elsewhere", key,
                         input);
    if (rotates(settings, path) && is_in_series(input, path))
        return error_set(error, ERROR_INVALID_ARGUMENT,
                         "%s would rotate over the input %s and delete it; give it another name", key, input);
    return true;
}

// Opening an output empties it, and rotation deletes files: never an input.
static bool check_overwrite(const struct settings *settings, struct error *error)
{
    const struct string_list *inputs = &settings->capture.read_pcap;
    for (unsigned output = 0; output < OUTPUTS; output++) {
        for (unsigned i = 0; output_path(settings, output)[0] != '\0' && i < inputs->count; i++)
            if (!check_input_kept(settings, inputs->items[i], output, error))
                return false;
    }
    return true;
}

bool loading_check(struct loading *loading, struct error *error)
{
    return check_input(loading, error) && check_rotation(loading->settings, error) &&
           check_outputs(loading->settings, error) && check_overwrite(loading->settings, error);
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
}
