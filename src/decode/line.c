// The line of a packet, for the terminal.
#include <string.h>

#include "base/time.h"
#include "decode/app/dns.h"
#include "decode/app/tls.h"
#include "decode/decode.h"
#include "decode/fields.h"

// "2024-05-01 12:00:00.123456": RFC 3339 with a space for the T and without the Z.
static void add_time(struct strbuf *into, int64_t time_ns)
{
    size_t start = into->length;
    time_add_rfc3339(into, time_ns, 6);
    char *t = into->failed ? NULL : strchr(into->text + start, 'T');
    if (t == NULL)
        return;
    *t = ' ';
    into->text[--into->length] = '\0';
}

static void add_vlans(struct strbuf *into, const struct packet *packet)
{
    unsigned kept = packet->vlans < PACKET_VLANS ? packet->vlans : PACKET_VLANS;
    for (unsigned i = 0; i < kept; i++) {
        strbuf_add(into, i == 0 ? " vlan " : ".");
        strbuf_add_u64(into, packet->vlan[i]);
    }
}

static bool shows_ports(const struct packet *packet)
{
    return packet->ports_known && ip_protocol_has_ports(packet->ip_protocol);
}

static void add_endpoint(struct strbuf *into, const struct packet *packet, const struct address *address,
                         uint16_t port)
{
    char text[ENDPOINT_TEXT_BYTES];
    if (shows_ports(packet))
        strbuf_add(into, endpoint_format(&(struct endpoint){*address, port}, text));
    else
        address_add(into, address);
}

static void add_tunnel(struct strbuf *into, const struct packet_tunnel *tunnel)
{
    if (tunnel->kind == TUNNEL_NONE)
        return;
    strbuf_addf(into, " %s %u (", tunnel_kind_name(tunnel->kind), tunnel->id);
    address_add(into, &tunnel->source);
    strbuf_add(into, " > ");
    address_add(into, &tunnel->target);
    strbuf_add_char(into, ')');
}

static void add_tcp_flags(struct strbuf *into, uint8_t flags)
{
    static const struct {
        uint8_t flag;
        char letter;
    } letters[] = {{TCP_SYN, 'S'}, {TCP_FIN, 'F'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
                   {TCP_URG, 'U'}, {TCP_ECE, 'E'}, {TCP_CWR, 'W'}, {TCP_ACK, '.'}};
    strbuf_add(into, " [");
    for (unsigned i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (flags & letters[i].flag)
            strbuf_add_char(into, letters[i].letter);
    if (flags == 0)
        strbuf_add(into, "none");
    strbuf_add_char(into, ']');
}

static void add_tcp(struct strbuf *into, const struct packet_tcp *tcp)
{
    add_tcp_flags(into, tcp->flags);
    strbuf_addf(into, " seq %u", tcp->sequence);
    if (tcp->flags & TCP_ACK)
        strbuf_addf(into, " ack %u", tcp->acknowledgement);
    strbuf_addf(into, " win %u", tcp->window);
}

static void add_transport(struct strbuf *into, const struct packet *packet)
{
    char name[16];
    strbuf_add_char(into, ' ');
    strbuf_add(into, ip_protocol_text(packet->ip_protocol, name));
    if (packet->fragment == FRAGMENT_LATER)
        strbuf_addf(into, " fragment of 0x%x", packet->fragment_id);
    else if (packet->ip_protocol == IP_PROTOCOL_TCP && packet->has_transport)
        add_tcp(into, &packet->tcp);
    else if (packet->ports_known && !shows_ports(packet))
        strbuf_addf(into, " type %u code %u", packet->source_port, packet->target_port);
    strbuf_addf(into, " len %u", packet->payload_length);
}

static void add_dns_addresses(struct strbuf *into, const struct dns_message *message)
{
    char separator = ' ';
    for (unsigned i = 0; i < message->addresses; i++) {
        if (message->answer[i].address.version == 0)
            continue;
        strbuf_add_char(into, separator);
        address_add(into, &message->answer[i].address);
        separator = ',';
    }
}

static void add_dns(struct strbuf *into, const struct dns_message *message)
{
    char text[12];
    strbuf_add(into, message->response ? " dns answer " : " dns query ");
    if (message->name.length > 0) {
        strbuf_add(into, dns_type_name(message->type, text));
        strbuf_add_char(into, ' ');
        strbuf_add(into, message->name.text);
    } else {
        strbuf_add(into, "(no name)");
    }
    if (message->response) {
        strbuf_add_char(into, ' ');
        strbuf_add(into, dns_rcode_name(message->rcode, text));
    }
    if (message->response)
        add_dns_addresses(into, message);
}

static void add_tls(struct strbuf *into, const struct tls_hello *hello)
{
    strbuf_add(into, " tls sni=");
    if (hello->sni[0] != '\0')
        strbuf_add(into, hello->sni);
    else
        strbuf_add(into, sni_status_name(hello->sni_status));
    if (hello->alpn[0] != '\0') {
        strbuf_add(into, " alpn=");
        strbuf_add(into, hello->alpn);
    }
}

// What is wrong with it.
static enum decode_reason add_app(struct strbuf *into, const struct packet *packet)
{
    struct dns_message message;
    struct tls_hello hello;
    bool dns = false;
    enum decode_reason reason = dns_of_packet(packet, &message, &dns);
    if (dns)
        add_dns(into, &message);
    else if (tls_hello_of_packet(packet, &hello))
        add_tls(into, &hello);
    return reason;
}

static enum decode_reason add_ip(struct strbuf *into, const struct packet *packet)
{
    strbuf_add_char(into, ' ');
    add_endpoint(into, packet, &packet->source, packet->source_port);
    strbuf_add(into, " > ");
    add_endpoint(into, packet, &packet->target, packet->target_port);
    add_transport(into, packet);
    enum decode_reason reason = add_app(into, packet);
    add_tunnel(into, &packet->tunnel);
    return reason;
}

static void add_mac(struct strbuf *into, const uint8_t mac[6])
{
    strbuf_addf(into, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void add_arp(struct strbuf *into, const struct packet_arp *arp)
{
    strbuf_add(into, " arp ");
    if (arp->operation == 1) {
        strbuf_add(into, "who-has ");
        address_add(into, &arp->target);
        strbuf_add(into, " tell ");
        address_add(into, &arp->sender);
    } else if (arp->operation == 2) {
        address_add(into, &arp->sender);
        strbuf_add(into, " is-at ");
        add_mac(into, arp->sender_mac);
    } else {
        strbuf_addf(into, "operation %u", arp->operation);
    }
}

static void add_other(struct strbuf *into, const struct packet *packet)
{
    if (packet->error_reason == DECODE_UNSUPPORTED_LINK)
        strbuf_addf(into, " link type %u", packet->link_type);
    else if (packet->ether_type != 0)
        strbuf_addf(into, " ether-type 0x%04x", packet->ether_type);
    else
        strbuf_add(into, " not ip");
    strbuf_addf(into, " len %u", packet->length);
}

static bool is_failure(const struct packet *packet)
{
    return packet->error_reason != DECODE_OK && packet->error_reason != DECODE_UNSUPPORTED_TYPE &&
           packet->error_reason != DECODE_ENCRYPTED && packet->error_reason != DECODE_UNSUPPORTED_LINK;
}

static void add_failure(struct strbuf *into, enum decode_layer layer, enum decode_reason reason)
{
    strbuf_addf(into, " [%s %s]", decode_layer_name(layer), decode_reason_name(reason));
}

void packet_add_line(struct strbuf *into, const struct packet *packet, const char *interface_name)
{
    enum decode_reason app_reason = DECODE_OK;
    strbuf_add_u64(into, packet->number);
    strbuf_add_char(into, ' ');
    add_time(into, packet->time_ns);
    strbuf_add_char(into, ' ');
    strbuf_add_wire(into, interface_name, strlen(interface_name));
    add_vlans(into, packet);
    if (packet->source.version != 0)
        app_reason = add_ip(into, packet);
    else if (packet->is_arp)
        add_arp(into, &packet->arp);
    else
        add_other(into, packet);
    if (is_failure(packet))
        add_failure(into, packet->error_layer, packet->error_reason);
    if (app_reason != DECODE_OK)
        add_failure(into, DECODE_LAYER_APP, app_reason);
}
