#include "capture/live/interfaces.h"

#include <netinet/in.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/strbuf.h"
#include "net/address.h"

static struct address address_of(const struct sockaddr *socket_address)
{
    struct address address = {.version = 0};
    if (socket_address == NULL)
        return address;
    if (socket_address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, socket_address, sizeof in);
        uint8_t bytes[4];
        memcpy(bytes, &in.sin_addr, sizeof bytes);
        return address_v4(bytes);
    }
    if (socket_address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, socket_address, sizeof in6);
        return address_v6(in6.sin6_addr.s6_addr);
    }
    return address;
}

static void add_addresses(struct strbuf *into, const pcap_if_t *interface)
{
    const char *separator = "";
    for (const pcap_addr_t *at = interface->addresses; at != NULL; at = at->next) {
        struct address address = address_of(at->addr);
        if (address.version == 0)
            continue;
        strbuf_add(into, separator);
        address_add(into, &address);
        separator = ", ";
    }
    if (separator[0] == 0)
        strbuf_add_char(into, '-');
}

static const char *state_of(const pcap_if_t *interface)
{
    if ((interface->flags & PCAP_IF_UP) == 0)
        return "down";
    return (interface->flags & PCAP_IF_RUNNING) != 0 ? "up" : "no link";
}

static const char *description_of(const pcap_if_t *interface)
{
    if (interface->description != NULL)
        return interface->description;
    return (interface->flags & PCAP_IF_LOOPBACK) != 0 ? "Loopback" : "";
}

bool interfaces_list(struct strbuf *into, struct error *error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, reason) != 0)
        return error_set(error, ERROR_UNAVAILABLE, "the interfaces cannot be listed: %s", reason);
    strbuf_addf(into, "%-16s %-8s %-40s %s\n", "INTERFACE", "STATE", "ADDRESSES", "DESCRIPTION");
    for (const pcap_if_t *at = all; at != NULL; at = at->next) {
        struct strbuf addresses;
        strbuf_init(&addresses, 4096);
        add_addresses(&addresses, at);
        strbuf_addf(into, "%-16s %-8s %-40s %s\n", at->name, state_of(at), addresses.text,
                    description_of(at));
        strbuf_done(&addresses);
    }
    pcap_freealldevs(all);
    return true;
}

static bool is_network(const pcap_if_t *interface)
{
    static const char *const others[] = {"nflog", "nfqueue", "bluetooth", "usbmon", "dbus", "rdma", "any"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(interface->name, others[i], strlen(others[i])) == 0)
            return false;
    return true;
}

void interfaces_name(struct strbuf *into)
{
    char reason[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;
    if (pcap_findalldevs(&all, reason) != 0)
        return;
    const char *separator = "";
    for (const pcap_if_t *at = all; at != NULL; at = at->next) {
        if (!is_network(at))
            continue;
        strbuf_addf(into, "%s%s", separator, at->name);
        separator = ", ";
    }
    pcap_freealldevs(all);
}
