// Requests as anybody may send them, in protobuf and in JSON, to every method's request: what the gate lets through has
// to unpack, and to pack to what it lets through again.
#include <protobuf-c/protobuf-c.h>
#include <stdlib.h>

#include "api/gate.h"
#include "base/strbuf.h"
#include "netscope/v1/alert_service.pb-c.h"
#include "netscope/v1/flow_service.pb-c.h"
#include "netscope/v1/packet.pb-c.h"
#include "netscope/v1/sensor.pb-c.h"

static const ProtobufCMessageDescriptor *const requests[] = {
    &netscope__v1__list_flows_request__descriptor,   &netscope__v1__watch_flows_request__descriptor,
    &netscope__v1__list_alerts_request__descriptor,  &netscope__v1__watch_alerts_request__descriptor,
    &netscope__v1__apply_config_request__descriptor, &netscope__v1__stream_pcap_request__descriptor,
};

static void expect_whole(ProtobufCMessage *request)
{
    static uint8_t bytes[8 * GATE_BYTES];
    struct status status;
    size_t length = protobuf_c_message_get_packed_size(request);
    if (length > GATE_BYTES)
        return; // numbers of one byte each that are packed no more
    protobuf_c_message_pack(request, bytes);
    ProtobufCMessage *again = gate_open(request->descriptor, bytes, length, &status);
    if (again == NULL)
        abort();
    gate_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct status status;
    struct strbuf packed;
    if (length < 1)
        return 0;
    const ProtobufCMessageDescriptor *descriptor =
        requests[bytes[0] % (sizeof requests / sizeof requests[0])];
    ProtobufCMessage *request =
        bytes[0] < 128 ? gate_open(descriptor, bytes + 1, length - 1, &status)
                       : gate_open_json(descriptor, (const char *)bytes + 1, length - 1, &status);
    if (request != NULL)
        expect_whole(request);
    if ((request == NULL) != (status.code != STATUS_OK))
        abort();
    strbuf_init(&packed, 16384);
    if (!status_pack(&status, &packed))
        abort();
    strbuf_done(&packed);
    gate_free(request);
    return 0;
}
