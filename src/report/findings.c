#include "report/findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/time.h"
#include "decode/app/dns.h"

enum { SIGHTINGS_PERCENT = 10, HALF_OPEN_LEAST = 10, HALF_OPEN_PERCENT = 10 };

static void say(struct report_sentences *sentences, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct report_sentences *sentences, const char *format, ...)
{
    if (sentences->count == REPORT_SENTENCES)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentences->text[sentences->count++], REPORT_SENTENCE_BYTES, format, arguments);
    va_end(arguments);
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100 * (double)part / (double)whole : 0;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void warn_loss(struct report_summary *summary)
{
    const struct report_ledger *ledger = &summary->ledger;
    struct report_sentences *warnings = &summary->warnings;
    if (ledger->lost > 0)
        say(warnings,
            "%" PRIu64 " of %" PRIu64 " packets (%.1f %%) were lost before they were analysed: %s, %s.",
            ledger->lost, ledger->received, percent(ledger->lost, ledger->received), ledger->lost_by[0].stage,
            ledger->lost_by[0].reason);
    uint64_t dropped = 0;
    for (unsigned i = 0; i < summary->interface_count; i++)
        dropped += summary->interfaces[i].nic_dropped;
    if (dropped > 0 && !summary->context.live)
        say(warnings,
            "%" PRIu64 " packet%s lost before the capture was written, as it records itself: what is counted "
            "below is less than there was.",
            dropped, dropped == 1 ? " was" : "s were");
    else if (dropped > 0)
        say(warnings, "The network card dropped %" PRIu64 " packet%s before they could be captured.", dropped,
            plural(dropped));
    if (!ledger->balanced)
        say(warnings, "The packet ledger is off by %" PRId64 ": this is a bug in NetScope.", ledger->missing);
}

static void warn_sightings(struct report_summary *summary)
{
    uint64_t seen = summary->doubts.second_sightings, analysed = summary->ledger.analysed;
    if (summary->context.observe_first || percent(seen, analysed) <= SIGHTINGS_PERCENT)
        return;
    say(&summary->warnings,
        "%.0f %% of the packets are second sightings of traffic that another interface had seen first: bytes "
        "and retransmissions are counted more than once. Run it again with --observation first.",
        percent(seen, analysed));
}

static void warn_sides(struct report_summary *summary)
{
    const struct report_tcp *tcp = &summary->tcp;
    if (tcp->one_way > 0)
        say(&summary->warnings,
            "%" PRIu64
            " TCP flow%s captured in one direction only: round trips and losses of %s are not known.",
            tcp->one_way, tcp->one_way == 1 ? " was" : "s were", tcp->one_way == 1 ? "it" : "them");
    if (tcp->duplicate_frames > 0)
        say(&summary->warnings,
            "%" PRIu64 " packet%s in this file twice: bytes and packets are counted twice as well.",
            tcp->duplicate_frames, tcp->duplicate_frames == 1 ? " is" : "s are");
}

static void warn_quality(struct report_summary *summary)
{
    const struct report_doubts *doubts = &summary->doubts;
    struct report_sentences *warnings = &summary->warnings;
    uint64_t packets = summary->span.packets;
    if (doubts->snapped > 0)
        say(warnings,
            "The end of %" PRIu64
            " packet%s (%.1f %%) was not captured (snaplen): names in them may be missing.",
            doubts->snapped, plural(doubts->snapped), percent(doubts->snapped, packets));
    if (summary->tcp.gapped > 0)
        say(warnings,
            "%" PRIu64 " TCP flow%s data that was never captured (%" PRIu64 " bytes): the capture has gaps.",
            summary->tcp.gapped, summary->tcp.gapped == 1 ? " misses" : "s miss", summary->tcp.missed_bytes);
    warn_sides(summary);
    if (doubts->clock_steps_back > 0)
        say(warnings,
            "The capture's clock stepped back by more than a second %" PRIu64
            " time%s: durations and rates may be off.",
            doubts->clock_steps_back, plural(doubts->clock_steps_back));
    if (doubts->bounded_stamps > 0)
        say(warnings,
            "%" PRIu64
            " packet%s stamped before 1823 or after 2116, which cannot be told: the nearest time that "
            "can is given.",
            doubts->bounded_stamps, doubts->bounded_stamps == 1 ? " is" : "s are");
    if (doubts->impossible_lengths > 0)
        say(warnings,
            "The capture gives %" PRIu64
            " packet%s a length that no frame has: it is counted as long as its headers "
            "say, or 262,144 bytes.",
            doubts->impossible_lengths, plural(doubts->impossible_lengths));
    if (summary->flows_ended[END_EVICTION] > 0)
        say(warnings, "%" PRIu64 " flow%s ended early to stay below --max-flows.",
            summary->flows_ended[END_EVICTION], plural(summary->flows_ended[END_EVICTION]));
}

static void warn_overflow(struct report_summary *summary)
{
    const struct report_overflow *over = &summary->overflow;
    uint64_t rows = over->hosts + over->services + over->targets + over->dns_names + over->tls_names;
    if (rows > 0)
        say(&summary->warnings,
            "More hosts or names than the report keeps: %" PRIu64
            " small ones were given up, and counts a host or name may be too low.",
            rows);
    if (over->answers > 0)
        say(&summary->warnings,
            "%" PRIu64 " DNS answer%s came in segments with many others, more than are kept at a time: "
            "counts of answers and names may be too low.",
            over->answers, plural(over->answers));
    if (over->streams > 0)
        say(&summary->warnings,
            "%" PRIu64
            " TLS hello%s or DNS messages in several segments were never whole and made room for others:"
            " they are told as far as they came.",
            over->streams, plural(over->streams));
    if (over->datagrams > 0)
        say(&summary->warnings,
            "%" PRIu64
            " IP datagram%s came in fragments and %s never whole: parts are missing, contradict each "
            "other or came among too many others. Names in %s are not told.",
            over->datagrams, plural(over->datagrams), over->datagrams == 1 ? "was" : "were",
            over->datagrams == 1 ? "it" : "them");
}

static void headline_tcp(struct report_summary *summary)
{
    const struct report_tcp *tcp = &summary->tcp;
    struct report_sentences *headlines = &summary->headlines;
    if (tcp->lossy > 0)
        say(headlines,
            "%" PRIu64 " of %" PRIu64
            " TCP flows retransmitted more than 1 %% of their packets (worst %.1f %%).",
            tcp->lossy, tcp->flows, 100 * tcp->worst_share);
    if (tcp->unanswered + tcp->refused > 0)
        say(headlines,
            "%" PRIu64 " of %" PRIu64 " TCP connections failed: %" PRIu64 " refused, %" PRIu64 " unanswered.",
            tcp->unanswered + tcp->refused, tcp->flows, tcp->refused, tcp->unanswered);
    if (tcp->half_open >= HALF_OPEN_LEAST && percent(tcp->half_open, tcp->flows) > HALF_OPEN_PERCENT)
        say(headlines,
            "%" PRIu64 " of %" PRIu64 " TCP connections were answered but never finished their handshake.",
            tcp->half_open, tcp->flows);
    if (tcp->slow > 0)
        say(headlines, "%" PRIu64 " TCP flow%s had round trips of more than 500 ms.", tcp->slow,
            plural(tcp->slow));
    if (tcp->zero_window > 0)
        say(headlines, "%" PRIu64 " TCP flow%s stalled on a full receiver (zero window).", tcp->zero_window,
            plural(tcp->zero_window));
}

static void headline_dns_failures(struct report_summary *summary)
{
    enum { CODES_NAMED = 3 };
    const struct report_dns *dns = &summary->dns;
    if (dns->failures == 0)
        return;
    char codes[128] = "";
    size_t used = 0;
    for (unsigned i = 0; i < dns->rcode_count && i < CODES_NAMED; i++) {
        char name[12];
        used += (size_t)snprintf(codes + used, sizeof codes - used, "%s%" PRIu64 " %s", i > 0 ? ", " : "",
                                 dns->rcodes[i].answers, dns_rcode_name(dns->rcodes[i].rcode, name));
    }
    say(&summary->headlines, "%" PRIu64 " of %" PRIu64 " DNS answers are failures: %s.", dns->failures,
        dns->answers, codes);
}

static void headline_names(struct report_summary *summary)
{
    const struct report_dns *dns = &summary->dns;
    const struct report_tls *tls = &summary->tls;
    headline_dns_failures(summary);
    if (dns->unanswered > 0)
        say(&summary->headlines, "%" PRIu64 " DNS quer%s got no answer.", dns->unanswered,
            dns->unanswered == 1 ? "y" : "ies");
    if (dns->slow > 0)
        say(&summary->headlines, "%" PRIu64 " DNS answer%s took longer than 500 ms (slowest %.0f ms).",
            dns->slow, plural(dns->slow), time_ms(dns->slowest_ns));
    if (tls->outdated > 0)
        say(&summary->headlines, "%" PRIu64 " of %" PRIu64 " TLS clients offer nothing newer than TLS 1.1.",
            tls->outdated, tls->flows);
}

static void headline_alerts(struct report_summary *summary)
{
    const struct report_alerts *alerts = &summary->alerts;
    char kinds[256] = "";
    size_t used = 0;
    for (unsigned kind = 0; kind < ALERT_KINDS; kind++)
        if (alerts->by_kind[kind] > 0)
            used +=
                (size_t)snprintf(kinds + used, sizeof kinds - used, "%s%" PRIu64 " %s", used > 0 ? ", " : "",
                                 alerts->by_kind[kind], alert_kind_name((enum alert_kind)kind));
    if (alerts->raised > 0)
        say(&summary->headlines, "%" PRIu64 " alert%s raised: %s.", alerts->raised,
            alerts->raised == 1 ? " was" : "s were", kinds);
}

enum { REASON_BYTES = 128 };

static void write_unsupported(const struct report_unsupported *kind, char into[REASON_BYTES])
{
    if (kind->link)
        snprintf(into, REASON_BYTES, ": link type %u is not decoded", kind->number);
    else if (kind->number == 0)
        snprintf(into, REASON_BYTES, ": frames without an EtherType are not decoded");
    else
        snprintf(into, REASON_BYTES, ": EtherType 0x%04x%s%s is not decoded", kind->number,
                 kind->name != NULL ? " " : "", kind->name != NULL ? kind->name : "");
}

// Why most packets that were not read were not, as far as that is known.
static void write_reason(const struct report_doubts *doubts, char into[REASON_BYTES])
{
    uint64_t most = 0;
    into[0] = '\0';
    for (unsigned i = 0; i < doubts->unsupported_count; i++) {
        if (doubts->unsupported[i].packets <= most)
            continue;
        most = doubts->unsupported[i].packets;
        write_unsupported(&doubts->unsupported[i], into);
    }
    for (unsigned i = 0; i < doubts->error_count; i++) {
        if (doubts->errors[i].packets <= most)
            continue;
        most = doubts->errors[i].packets;
        snprintf(into, REASON_BYTES, ": %s header, %s", doubts->errors[i].layer, doubts->errors[i].reason);
    }
}

// Ahead of all others: with it, silence below means nothing.
static void warn_unread(struct report_summary *summary)
{
    uint64_t packets = summary->span.packets, unread = summary->doubts.unread;
    char reason[REASON_BYTES];
    if (unread == 0 || unread <= packets / 2)
        return;
    write_reason(&summary->doubts, reason);
    if (unread >= packets)
        say(&summary->warnings, "None of the %" PRIu64 " packet%s could be read%s.", packets, plural(packets),
            reason);
    else
        say(&summary->warnings, "%" PRIu64 " of %" PRIu64 " packets (%.1f %%) could not be read%s.", unread,
            packets, percent(unread, packets), reason);
}

void report_findings(struct report_summary *summary)
{
    const struct report_context *context = &summary->context;
    warn_unread(summary);
    if (context->truncated != NULL && context->truncated[0] != '\0')
        say(&summary->warnings, "%s", context->truncated);
    for (unsigned i = 0; i < context->note_count; i++)
        say(&summary->warnings, "%s", context->notes[i]);
    warn_loss(summary);
    warn_sightings(summary);
    warn_quality(summary);
    warn_overflow(summary);
    headline_alerts(summary);
    headline_tcp(summary);
    headline_names(summary);
}
