#include "calling.h"
#include "grpc/health/v1/health.pb-c.h"
#include "netscope/v1/packet.pb-c.h"

static const ProtobufCServiceDescriptor *const services[] = {
    &netscope__v1__sensor_service__descriptor, &netscope__v1__flow_service__descriptor,
    &netscope__v1__alert_service__descriptor,  &netscope__v1__stats_service__descriptor,
    &netscope__v1__packet_service__descriptor, &grpc__health__v1__health__descriptor,
};

Test(method, rows_are_those_of_the_protos)
{
    unsigned rows = 0;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        for (unsigned j = 0; j < services[i]->n_methods; j++) {
            const ProtobufCMethodDescriptor *described = &services[i]->methods[j];
            struct status status;
            char path[128];
            snprintf(path, sizeof path, "/%s/%s", services[i]->name, described->name);
            const struct method *method = method_find(path, &status);
            cr_assert_not_null(method, "%s", path);
            cr_expect_eq(method->request, described->input, "%s", path);
            cr_expect_eq(method->response, described->output, "%s", path);
            rows++;
        }
    cr_expect_eq(rows, method_count);
}

Test(method, unknown_paths_are_unimplemented)
{
    static const char *const paths[] = {"",
                                        "/",
                                        "GetStatus",
                                        "/netscope.v1.SensorService",
                                        "/netscope.v1.SensorService/",
                                        "/netscope.v1.SensorService/getStatus",
                                        "/netscope.v1.FlowService/GetStatus",
                                        "netscope.v1.SensorService/GetStatus",
                                        "/netscope.v1.SensorService/GetStatus/"};
    struct status status;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        cr_expect_null(method_find(paths[i], &status), "%s", paths[i]);
        cr_expect_eq(status.code, STATUS_UNIMPLEMENTED);
    }
}

Test(method, roles_and_the_gate_come_first, .timeout = 60)
{
    struct calling calling;
    begin_calling(&calling, NULL);
    start_run(&calling.running);
    calling.caller = (struct caller){.identity = "guest", .role = ROLE_VIEWER};
    call_refused(&calling, SENSOR("ApplyConfig"), "{\"dryRun\": true}", STATUS_PERMISSION_DENIED, NULL,
                 "takes the role operator, and guest has viewer");
    calling.caller.role = ROLE_PACKETS;
    call_refused(&calling, SENSOR("StartCapture"), "{\"interface\": \"lo\"}", STATUS_PERMISSION_DENIED, NULL,
                 "guest has packets");
    call_refused(&calling, SENSOR("StopCapture"), "not looked at", STATUS_PERMISSION_DENIED, NULL,
                 "operator");
    call_refused(&calling, SENSOR("GetStatus"), "{\"x\": 1}", STATUS_INVALID_ARGUMENT, "", "has no \"x\"");
    struct answer answer;
    static const uint8_t unknown[] = {0x78, 0x01};
    call_bytes(&calling, FLOWS("ListFlows"), &(struct request){REQUEST_PROTO, unknown, sizeof unknown},
               &answer);
    cr_expect_eq(answer.status.code, STATUS_INVALID_ARGUMENT);
    cr_expect_str_eq(answer.status.reason, "INVALID_REQUEST");
    end_calling(&calling);
}
