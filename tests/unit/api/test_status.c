#include "api/status.h"

#include <criterion/criterion.h>
#include <google/rpc/error_details.pb-c.h>
#include <google/rpc/status.pb-c.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/strbuf.h"

static struct status status;

static Google__Rpc__Status *packed(void)
{
    struct strbuf bytes;
    strbuf_init(&bytes, 16384);
    cr_assert(status_pack(&status, &bytes));
    Google__Rpc__Status *message =
        google__rpc__status__unpack(NULL, bytes.length, (const uint8_t *)bytes.text);
    cr_assert_not_null(message);
    size_t details = 0;
    for (size_t i = 0; i < message->n_details; i++)
        details += message->details[i]->value.len;
    cr_expect_leq(details, STATUS_DETAILS_BYTES);
    strbuf_done(&bytes);
    return message;
}

Test(status, carries_reason_and_violations)
{
    status = STATUS_FINE;
    status_violate(&status, "allow[0].client", "it is %s", "wrong");
    status_violate(&status, "order", "so is this");
    Google__Rpc__Status *message = packed();
    cr_expect_eq(message->code, 3);
    cr_expect_str_eq(message->message, "allow[0].client: it is wrong");
    cr_assert_eq(message->n_details, 2);
    cr_expect_str_eq(message->details[0]->type_url, "type.googleapis.com/google.rpc.ErrorInfo");
    cr_expect_str_eq(message->details[1]->type_url, "type.googleapis.com/google.rpc.BadRequest");
    Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(NULL, message->details[0]->value.len,
                                                                   message->details[0]->value.data);
    cr_expect_str_eq(info->reason, "INVALID_REQUEST");
    cr_expect_str_eq(info->domain, "netscope");
    Google__Rpc__BadRequest *bad = google__rpc__bad_request__unpack(NULL, message->details[1]->value.len,
                                                                    message->details[1]->value.data);
    cr_expect_eq(bad->n_field_violations, 2);
    cr_expect_str_eq(bad->field_violations[1]->field, "order");
    cr_expect_str_eq(bad->field_violations[1]->description, "so is this");
    google__rpc__bad_request__free_unpacked(bad, NULL);
    google__rpc__error_info__free_unpacked(info, NULL);
    google__rpc__status__free_unpacked(message, NULL);
}

Test(status, is_bounded)
{
    char sentence[2000];
    memset(sentence, 'x', sizeof sentence);
    sentence[sizeof sentence - 1] = '\0';
    status = STATUS_FINE;
    for (int i = 0; i < STATUS_VIOLATIONS + 5; i++)
        status_violate(&status, "some.field", "%s", sentence);
    cr_expect_eq(status.violation_count, STATUS_VIOLATIONS);
    status.extra_type = "netscope.v1.ApplyConfigResponse";
    status.extra_bytes = sizeof status.extra;
    Google__Rpc__Status *message = packed();
    cr_expect_lt(strlen(message->message), STATUS_MESSAGE_BYTES);
    google__rpc__status__free_unpacked(message, NULL);
}

Test(status, texts_stay_utf8)
{
    char text[STATUS_MESSAGE_BYTES + 1];
    memset(text, 'x', sizeof text);
    strcpy(text + STATUS_MESSAGE_BYTES - 2, "\xc3\xa9"); // cut in its middle
    status = STATUS_FINE;
    status_set(&status, STATUS_NOT_FOUND, "NOT_FOUND", "%s", text);
    cr_expect_eq(strlen(status.message), STATUS_MESSAGE_BYTES - 2);
    status_set(&status, STATUS_NOT_FOUND, "NOT_FOUND",
               "a\xff"
               "bcdef");
    cr_expect_str_eq(status.message, "a?bcdef");
}

Test(status, kinds_of_errors_have_their_code)
{
    static const enum status_code codes[ERROR_KINDS] = {
        STATUS_INTERNAL,
        STATUS_INVALID_ARGUMENT,
        STATUS_NOT_FOUND,
        STATUS_PERMISSION_DENIED,
        STATUS_FAILED_PRECONDITION,
        STATUS_RESOURCE_EXHAUSTED,
        STATUS_UNAVAILABLE,
        STATUS_CANCELLED,
        STATUS_DEADLINE_EXCEEDED,
        STATUS_DATA_LOSS,
        STATUS_INTERNAL,
    };
    for (int kind = 0; kind < ERROR_KINDS; kind++) {
        struct error error;
        error_set(&error, (enum error_kind)kind, "so it is");
        status = STATUS_FINE;
        cr_expect_not(status_from_error(&status, &error));
        cr_expect_eq(status.code, codes[kind]);
        cr_expect_str_eq(status.message, "so it is");
        cr_expect_not_null(status.reason);
    }
}

Test(status, success_has_no_details)
{
    status = STATUS_FINE;
    Google__Rpc__Status *message = packed();
    cr_expect_eq(message->n_details, 0);
    google__rpc__status__free_unpacked(message, NULL);
    cr_expect_str_eq(status_code_name(STATUS_OK), "OK");
    cr_expect_str_eq(status_code_name(STATUS_UNAUTHENTICATED), "UNAUTHENTICATED");
}

// However long it is.
Test(status, a_detail_of_connect_is_base64_of_all_its_bytes)
{
    struct strbuf text;
    strbuf_init(&text, 8192);
    for (size_t length = 1; length <= STATUS_EXTRA_BYTES; length = length < 600 ? length + 1 : length * 2) {
        status = STATUS_FINE;
        status_set(&status, STATUS_ABORTED, "ABORTED", "x");
        status.extra_type = "netscope.v1.ApplyConfigResponse";
        status.extra_bytes = length;
        for (size_t i = 0; i < length; i++)
            status.extra[i] = (uint8_t)(i * 7);
        static char value[BASE64_TEXT_BYTES(STATUS_EXTRA_BYTES)], told[sizeof value + 64];
        base64_encode(status.extra, length, value);
        value[strcspn(value, "=")] = '\0';
        snprintf(told, sizeof told, "ApplyConfigResponse\",\"value\":\"%s\"}]}", value);
        strbuf_clear(&text);
        status_add_json(&status, &text);
        cr_assert_not_null(strstr(text.text, told), "%zu bytes", length);
    }
    strbuf_done(&text);
}

Test(status, is_an_error_of_connect)
{
    struct strbuf text;
    strbuf_init(&text, 4096);
    status = STATUS_FINE;
    status_set(&status, STATUS_NOT_FOUND, "NO_SUCH_FLOW", "there is no \"flow\"");
    status_add_json(&status, &text);
    cr_expect_str_eq(
        text.text, "{\"code\":\"not_found\",\"message\":\"there is no \\\"flow\\\"\",\"details\":[{\"type\":"
                   "\"google.rpc.ErrorInfo\",\"value\":\"CgxOT19TVUNIX0ZMT1cSCG5ldHNjb3Bl\"}]}");
    strbuf_clear(&text);
    status_set(&status, STATUS_CANCELLED, "CANCELLED", "x");
    status_add_json(&status, &text);
    cr_expect(strstr(text.text, "\"code\":\"canceled\"") != NULL, "with one l");
    cr_expect(strchr(text.text, '=') == NULL, "without padding");
    strbuf_done(&text);
}
