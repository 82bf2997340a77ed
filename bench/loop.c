// loop FILE: reads a capture with libpcap and does nothing with it. The yardstick of bench/compare.
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int read_all(pcap_t *capture, const char *path)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t packets = 0, length = 0;
    int got;
    while ((got = pcap_next_ex(capture, &header, &bytes)) == 1) {
        packets++;
        length += header->len;
    }
    if (got != PCAP_ERROR_BREAK) {
        fprintf(stderr, "loop: %s: %s\n", path, pcap_geterr(capture));
        return 1;
    }
    printf("%llu packets, %llu bytes\n", (unsigned long long)packets, (unsigned long long)length);
    return 0;
}

int main(int count, char **arguments)
{
    if (count != 2 || strcmp(arguments[1], "--help") == 0) {
        fprintf(count == 2 ? stdout : stderr, "Usage: loop FILE\nReads a capture with libpcap to its end.\n");
        return count == 2 ? 0 : 2;
    }
    char reason[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_open_offline(arguments[1], reason);
    if (capture == NULL) {
        fprintf(stderr, "loop: %s\n", reason);
        return 1;
    }
    int status = read_all(capture, arguments[1]);
    pcap_close(capture);
    return status;
}
