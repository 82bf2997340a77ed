#include "rpc/reflection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/build.h"
#include "api/gate.h"
#include "api/status.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__DescriptorProto Message;
typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

// Made of all protos at build time (cmake/descriptors.cmake).
extern const unsigned char netscope_descriptors[];
extern const size_t netscope_descriptors_bytes;

struct reflection {
    Google__Protobuf__FileDescriptorSet *files;
};

enum { FILES_MOST = 64 };

struct reflection *reflection_create(void)
{
    struct reflection *reflection = calloc(1, sizeof *reflection);
    if (reflection == NULL)
        return NULL;
    reflection->files =
        google__protobuf__file_descriptor_set__unpack(NULL, netscope_descriptors_bytes, netscope_descriptors);
    if (reflection->files == NULL) {
        reflection_destroy(reflection);
        return NULL;
    }
    assert(reflection->files->n_file <= FILES_MOST);
    return reflection;
}

void reflection_destroy(struct reflection *reflection)
{
    if (reflection == NULL)
        return;
    if (reflection->files != NULL)
        google__protobuf__file_descriptor_set__free_unpacked(reflection->files, NULL);
    free(reflection);
}

// What follows `name` in a dotted symbol: "" when it is all, NULL when the symbol does not begin with it.
static const char *rest_of(const char *symbol, const char *name)
{
    size_t length = strlen(name);
    if (symbol == NULL || strncmp(symbol, name, length) != 0)
        return NULL;
    return symbol[length] == '\0' ? symbol + length : symbol[length] == '.' ? symbol + length + 1 : NULL;
}

static bool is_name(const char *symbol, const char *name)
{
    return symbol != NULL && strcmp(symbol, name) == 0;
}

static bool message_has(const Message *message, const char *symbol)
{
    const char *rest = rest_of(symbol, message->name);
    if (rest == NULL)
        return false;
    bool has = rest[0] == '\0';
    for (size_t i = 0; i < message->n_field; i++)
        has |= is_name(rest, message->field[i]->name);
    for (size_t i = 0; i < message->n_enum_type; i++)
        has |= is_name(rest, message->enum_type[i]->name);
    for (size_t i = 0; i < message->n_nested_type; i++)
        has |= message_has(message->nested_type[i], rest);
    return has;
}

static bool service_has(const Google__Protobuf__ServiceDescriptorProto *service, const char *symbol)
{
    const char *rest = rest_of(symbol, service->name);
    bool has = rest != NULL && rest[0] == '\0';
    for (size_t i = 0; rest != NULL && i < service->n_method; i++)
        has |= is_name(rest, service->method[i]->name);
    return has;
}

static bool file_has(const File *file, const char *symbol)
{
    const char *rest = rest_of(symbol, file->package);
    bool has = false;
    for (size_t i = 0; rest != NULL && i < file->n_message_type; i++)
        has |= message_has(file->message_type[i], rest);
    for (size_t i = 0; rest != NULL && i < file->n_enum_type; i++)
        has |= is_name(rest, file->enum_type[i]->name);
    for (size_t i = 0; rest != NULL && i < file->n_service; i++)
        has |= service_has(file->service[i], rest);
    return has;
}

static int find_file(const struct reflection *reflection, const char *name, const char *symbol)
{
    for (size_t i = 0; i < reflection->files->n_file; i++) {
        const File *file = reflection->files->file[i];
        if (name != NULL ? strcmp(file->name, name) == 0 : file_has(file, symbol))
            return (int)i;
    }
    return -1;
}

// Marks a file and all that it imports; protos import no circles.
static void mark_imports(const struct reflection *reflection, int index, bool marked[FILES_MOST])
{
    if (index < 0 || marked[index])
        return;
    const File *file = reflection->files->file[index];
    marked[index] = true;
    for (size_t i = 0; i < file->n_dependency; i++)
        mark_imports(reflection, find_file(reflection, file->dependency[i], NULL), marked);
}

static bool refuse(struct build *build, Response *response, const char *what, const char *name)
{
    enum { NOT_FOUND = 5 };
    char sentence[256];
    Grpc__Reflection__V1__ErrorResponse *error = build_part(build, sizeof *error);
    if (error == NULL)
        return false;
    snprintf(sentence, sizeof sentence, "there is no %s %.150s here", what, name);
    grpc__reflection__v1__error_response__init(error);
    error->error_code = NOT_FOUND;
    error->error_message = build_text(build, sentence);
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response = error;
    return true;
}

// The file that was asked for first, then its imports.
static bool give_file(const struct reflection *reflection, struct build *build, Response *response, int index)
{
    bool marked[FILES_MOST] = {false};
    Grpc__Reflection__V1__FileDescriptorResponse *files = build_part(build, sizeof *files);
    ProtobufCBinaryData *rows = build_part(build, FILES_MOST * sizeof *rows);
    if (files == NULL || rows == NULL)
        return false;
    grpc__reflection__v1__file_descriptor_response__init(files);
    files->file_descriptor_proto = rows;
    mark_imports(reflection, index, marked);
    for (size_t i = 0, at = (size_t)index; i <= reflection->files->n_file; at = i++) {
        if (!marked[at])
            continue;
        marked[at] = false;
        const File *file = reflection->files->file[at];
        ProtobufCBinaryData *row = &rows[files->n_file_descriptor_proto++];
        row->len = google__protobuf__file_descriptor_proto__get_packed_size(file);
        row->data = build_part(build, row->len);
        if (row->data == NULL)
            return false;
        google__protobuf__file_descriptor_proto__pack(file, row->data);
    }
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response->file_descriptor_response = files;
    return true;
}

static char *service_name(struct build *build, const File *file, size_t service)
{
    char name[256];
    snprintf(name, sizeof name, "%s.%s", file->package, file->service[service]->name);
    return build_text(build, name);
}

static bool give_services(const struct reflection *reflection, struct build *build, Response *response)
{
    typedef Grpc__Reflection__V1__ServiceResponse Service;
    Grpc__Reflection__V1__ListServiceResponse *list = build_part(build, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < reflection->files->n_file; i++)
        count += reflection->files->file[i]->n_service;
    if (list == NULL)
        return false;
    grpc__reflection__v1__list_service_response__init(list);
    size_t rows = build_rows(build, &list->service, count, sizeof(Service));
    for (size_t i = 0; i < reflection->files->n_file; i++) {
        const File *file = reflection->files->file[i];
        for (size_t j = 0; j < file->n_service && list->n_service < rows; j++) {
            Service *service = list->service[list->n_service++];
            grpc__reflection__v1__service_response__init(service);
            service->name = service_name(build, file, j);
        }
    }
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    response->list_services_response = list;
    return true;
}

static bool fill(const struct reflection *reflection, struct build *build, const Request *request,
                 Response *response)
{
    int index;
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        return give_services(reflection, build, response);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        index = find_file(reflection, request->file_by_filename, NULL);
        return index < 0 ? refuse(build, response, "file", request->file_by_filename)
                         : give_file(reflection, build, response, index);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        index = find_file(reflection, NULL, request->file_containing_symbol);
        return index < 0 ? refuse(build, response, "symbol", request->file_containing_symbol)
                         : give_file(reflection, build, response, index);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        return refuse(build, response, "extension of", request->file_containing_extension->containing_type);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        return refuse(build, response, "extension of", request->all_extension_numbers_of_type);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
    default:
        return refuse(build, response, "question", "");
    }
}

bool reflection_answer(const struct reflection *reflection, const uint8_t *request, size_t length,
                       struct strbuf *into, struct status *status)
{
    Response response;
    struct build build;
    ProtobufCMessage *asked =
        gate_open(&grpc__reflection__v1__server_reflection_request__descriptor, request, length, status);
    if (asked == NULL)
        return false;
    build_init(&build);
    grpc__reflection__v1__server_reflection_response__init(&response);
    response.valid_host = ((Request *)asked)->host;
    response.original_request = (Request *)asked;
    bool good = fill(reflection, &build, (Request *)asked, &response) && !build.failed;
    size_t packed = good ? protobuf_c_message_get_packed_size(&response.base) : 0;
    uint8_t *bytes = good ? build_part(&build, packed + 1) : NULL;
    if (bytes != NULL) {
        protobuf_c_message_pack(&response.base, bytes);
        strbuf_add_bytes(into, bytes, packed);
    }
    build_done(&build);
    gate_free(asked);
    return (bytes != NULL && !into->failed) ||
           status_set(status, STATUS_RESOURCE_EXHAUSTED, "EXHAUSTED", "no memory for the answer");
}
