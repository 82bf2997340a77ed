#include "ctl/options.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

const char *const flow_order_words[] = {"bytes",           "packets", "last-seen", "first-seen", "duration",
                                        "retransmissions", "rtt",     "rate",      NULL};
const char *const tcp_state_words[] = {"unknown",  "syn_sent", "syn_ack", "established",
                                       "fin_wait", "closed",   "reset",   NULL};
const char *const conn_state_words[] = {"S0",   "S1",     "SF",    "REJ", "S2",  "S3",  "RSTO",
                                        "RSTR", "RSTOS0", "RSTRH", "SH",  "SHR", "OTH", NULL};
const char *const sni_status_words[] = {"complete", "reassembled", "truncated", "gap", "absent", NULL};
const char *const tunnel_kind_words[] = {"ipip", "gre", "erspan", "vxlan", "geneve", "gtp_u", "teredo", NULL};
const char *const severity_words[] = {"low", "medium", "high", "critical", NULL};
const char *const lifecycle_words[] = {"started", "updated", "ended", NULL};

static const char *const text_formats[] = {"text", "json", NULL};
static const char *const list_formats[] = {"table", "wide", "json", "jsonl", "csv", NULL};
static const char *const colour_words[] = {"auto", "always", "never", NULL};

int word_place(const char *const *words, const char *word)
{
    int place = 1;
    for (; strcmp(*words, word) != 0; words++, place++)
        assert(words[1] != NULL);
    return place;
}

// clang-format off
static const struct option_row connection_rows[] = {
    {.name = "server", .letter = 's', .argument = "ADDRESS",
     .help = "host:port, unix:///path, or dns:///name:port for every address of a name; repeatable"},
    {.name = "kube", .help = "the sensors in the pods of a cluster, through kubectl exec"},
    {.name = "kube-namespace", .letter = 'N', .argument = "NAME", .help = "the pods' namespace (kubectl's own)"},
    {.name = "selector", .letter = 'l', .argument = "LABELS", .help = "the pods' labels (app.kubernetes.io/name=netscope)"},
    {.name = "tls", .help = "speak TLS; the other --tls options imply it"},
    {.name = "tls-ca", .argument = "FILE", .help = "trust the CAs of this file (PEM) instead of the system's"},
    {.name = "tls-cert", .argument = "FILE", .help = "show this certificate (PEM)"},
    {.name = "tls-key", .argument = "FILE", .help = "the key of the certificate (PEM)"},
    {.name = "tls-server-name", .argument = "NAME", .help = "the name that the sensor's certificate must have"},
    {.name = "token-file", .argument = "FILE", .help = "a file that holds the bearer token to show"},
    {.name = "insecure-token", .help = "send the token without TLS beyond loopback, where others can read it"},
    {.name = "config", .argument = "FILE", .help = "read some of these from a file (~/.config/netscope/netscopectl.conf)"},
    {.name = "timeout", .argument = "SPAN", .help = "how long an answer may take (10s)"},
    {.name = "color", .argument = "WHEN", .help = "auto, always or never; auto: on a terminal, without NO_COLOR",
     .words = colour_words, .also = "colour"},
    {.name = NULL},
};
static const struct option_row text_output_rows[] = {
    {.name = "output", .letter = 'o', .argument = "FORMAT", .help = "text or json", .words = text_formats},
    {.name = NULL},
};
static const struct option_row list_output_rows[] = {
    {.name = "output", .letter = 'o', .argument = "FORMAT", .help = "table, wide, json, jsonl or csv",
     .words = list_formats},
    {.name = NULL},
};
// clang-format on

const struct option_group connection_options = {"Connection", connection_rows, false};
const struct option_group text_output_options = {"Output", text_output_rows, false};
const struct option_group list_output_options = {"Output", list_output_rows, false};
