#include "capture/filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/log.h"
#include "capture/filter_cooked.h"
#include "capture/filter_spelling.h"
#include "capture/link_type.h"
#include "capture/source.h"

enum { FILTER_PROGRAMS = 32, KERNEL_ONLY_OFFSETS = -0x1000 };

// Ethernet with Broadcom's switch tag behind the addresses. libpcap 1.10 filters little of it: the frame is
// filtered as the Ethernet frame that it is without the tag, whose first bits tell the direction.
enum { LINK_TYPE_BROADCOM_TAG = 281, ADDRESSES_BYTES = 12, TAG_BYTES = 4, TAG_OPCODE_SHIFT = 5 };

struct program {
    uint16_t link_type;
    bool compiled;
    bool tagged;
    bool cooked, as_ethernet;   // frames of "any": without their tags, or made Ethernet; see filter_cooked.h
    struct bpf_program code[2]; // tagged: for inbound and outbound frames; else one
};

struct filter {
    char *expression;
    struct program programs[FILTER_PROGRAMS]; // one a link type met
    unsigned count;
    struct program *last;
    bool full;     // more link types than programs: said once
    uint8_t *made; // a frame without its tag, or as another link layer
};

// What only the kernel knows, the direction for one, lies at offsets that no file has.
static bool asks_the_kernel(const struct bpf_program *code)
{
    for (unsigned i = 0; i < code->bf_len; i++)
        if (BPF_CLASS(code->bf_insns[i].code) == BPF_LD && BPF_MODE(code->bf_insns[i].code) == BPF_ABS &&
            (int32_t)code->bf_insns[i].k < 0 && (int32_t)code->bf_insns[i].k >= KERNEL_ONLY_OFFSETS)
            return true;
    return false;
}

static bool compile_any(const char *expression, const char *spelled, int dlt, struct bpf_program *code,
                        struct error *error)
{
    pcap_t *dead = pcap_open_dead(dlt, FRAME_CAPTURED_MAX);
    if (dead == NULL || spelled == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the filter \"%s\" finds no memory", expression);
        if (dead != NULL)
            pcap_close(dead);
        return false;
    }
    bool compiled = pcap_compile(dead, code, spelled, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!compiled)
        error_set(error, ERROR_INVALID_ARGUMENT, "the filter \"%s\" is not valid: %s", expression,
                  pcap_geterr(dead));
    pcap_close(dead);
    return compiled;
}

static bool compile_code(const char *expression, const char *spelled, int dlt, struct bpf_program *code,
                         struct error *error)
{
    if (!compile_any(expression, spelled, dlt, code, error))
        return false;
    if (!asks_the_kernel(code))
        return true;
    pcap_freecode(code);
    return error_set(error, ERROR_INVALID_ARGUMENT,
                     "the filter \"%s\" is not valid: it asks for what files of this link type do not hold",
                     expression);
}

static bool compile_tagged(const char *expression, struct program *program, struct error *error)
{
    for (int direction = 0; direction < 2; direction++) {
        char *spelled = filter_spell_direction(expression, direction == 1);
        bool compiled = compile_code(expression, spelled, DLT_EN10MB, &program->code[direction], error);
        free(spelled);
        if (compiled)
            continue;
        if (direction == 1)
            pcap_freecode(&program->code[0]);
        return false;
    }
    return true;
}

// What a cooked header has no place for is asked of the Ethernet frame that there was.
static bool compile_cooked(const char *expression, struct program *program, struct error *error)
{
    struct error ethernet;
    int dlt = link_type_to_dlt(program->link_type);
    program->compiled = compile_code(expression, expression, dlt, &program->code[0], error);
    if (program->compiled)
        return true;
    program->as_ethernet = compile_code(expression, expression, DLT_EN10MB, &program->code[0], &ethernet);
    program->compiled = program->as_ethernet;
    if (program->compiled)
        log_warning("capture",
                    "%s: packets of \"any\" (link type %u) are taken as Ethernet, whose target is not known",
                    error->text, program->link_type);
    return program->compiled;
}

static bool compile(const char *expression, struct program *program, struct error *error)
{
    program->cooked = filter_is_cooked(program->link_type);
    if (program->cooked)
        return compile_cooked(expression, program, error);
    program->tagged = program->link_type == LINK_TYPE_BROADCOM_TAG;
    if (program->tagged) {
        program->compiled = compile_tagged(expression, program, error);
        return program->compiled;
    }
    char *spelled = filter_spell_arcnet(expression, program->link_type);
    program->compiled =
        compile_code(expression, spelled, link_type_to_dlt(program->link_type), &program->code[0], error);
    free(spelled);
    return program->compiled;
}

static void free_program(struct program *program)
{
    if (!program->compiled)
        return;
    pcap_freecode(&program->code[0]);
    if (program->tagged)
        pcap_freecode(&program->code[1]);
}

static void tell_left_out(uint16_t link_type, const struct error *error)
{
    log_warning("capture", "packets of link type %u are left out: %s", link_type, error->text);
}

// Whether the expression is right, and it is the link type that it does not fit.
static bool compiles_for_ethernet(const char *expression)
{
    struct program program = {.link_type = LINK_TYPE_ETHERNET};
    struct error error;
    bool compiled = compile(expression, &program, &error);
    free_program(&program);
    return compiled;
}

bool filter_check(const char *expression, uint16_t link_type, bool live, struct error *error)
{
    struct bpf_program code;
    if (!live) {
        struct filter *filter = filter_create(expression, link_type, error);
        filter_destroy(filter);
        return filter != NULL;
    }
    bool compiled = compile_any(expression, expression, link_type_to_dlt(link_type), &code, error);
    if (compiled)
        pcap_freecode(&code);
    return compiled;
}

struct filter *filter_create(const char *expression, uint16_t link_type, struct error *error)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (filter != NULL)
        filter->expression = strdup(expression);
    if (filter == NULL || filter->expression == NULL) {
        error_set(error, ERROR_EXHAUSTED, "the filter \"%s\" cannot be compiled: no memory", expression);
        filter_destroy(filter);
        return NULL;
    }
    filter->last = &filter->programs[filter->count++];
    filter->last->link_type = link_type;
    if (compile(expression, filter->last, error))
        return filter;
    if (!compiles_for_ethernet(expression)) {
        filter_destroy(filter);
        return NULL;
    }
    tell_left_out(link_type, error);
    return filter;
}

void filter_destroy(struct filter *filter)
{
    if (filter == NULL)
        return;
    for (unsigned i = 0; i < filter->count; i++)
        free_program(&filter->programs[i]);
    free(filter->made);
    free(filter->expression);
    free(filter);
}

static struct program *program_add(struct filter *filter, uint16_t link_type)
{
    if (filter->count == FILTER_PROGRAMS) {
        if (!filter->full)
            log_warning("capture", "packets of more than %d link types are left out by the filter",
                        FILTER_PROGRAMS);
        filter->full = true;
        return NULL;
    }
    assert(filter->count < FILTER_PROGRAMS);
    struct program *program = &filter->programs[filter->count++];
    program->link_type = link_type;
    struct error error;
    if (!compile(filter->expression, program, &error))
        tell_left_out(link_type, &error);
    return program;
}

static struct program *program_for(struct filter *filter, uint16_t link_type)
{
    for (unsigned i = 0; i < filter->count; i++)
        if (filter->programs[i].link_type == link_type)
            return &filter->programs[i];
    return program_add(filter, link_type);
}

static uint32_t run(const struct bpf_program *code, const uint8_t *bytes, uint32_t captured, uint32_t length)
{
    assert(code->bf_insns != NULL && captured <= length);
    struct pcap_pkthdr header = {.caplen = captured, .len = length};
    return (uint32_t)pcap_offline_filter(code, &header, bytes);
}

static bool make_room(struct filter *filter)
{
    if (filter->made == NULL)
        filter->made = malloc(FRAME_CAPTURED_MAX + COOKED_ETHERNET_BYTES);
    return filter->made != NULL;
}

static uint32_t run_tagged(struct filter *filter, const struct program *program, const struct frame *frame)
{
    if (frame->captured < ADDRESSES_BYTES + TAG_BYTES || frame->captured > FRAME_CAPTURED_MAX)
        return 0;
    if (!make_room(filter))
        return 0;
    uint32_t captured = frame->captured - TAG_BYTES;
    assert(captured >= ADDRESSES_BYTES && captured <= FRAME_CAPTURED_MAX);
    memcpy(filter->made, frame->bytes, ADDRESSES_BYTES);
    memcpy(filter->made + ADDRESSES_BYTES, frame->bytes + ADDRESSES_BYTES + TAG_BYTES,
           captured - ADDRESSES_BYTES);
    bool outbound = frame->bytes[ADDRESSES_BYTES] >> TAG_OPCODE_SHIFT != 0; // towards the switch
    return run(&program->code[outbound], filter->made, captured, frame->length - TAG_BYTES);
}

static uint32_t run_cooked(struct filter *filter, const struct program *program, const struct frame *frame)
{
    struct frame made;
    if (frame->captured > FRAME_CAPTURED_MAX || !make_room(filter))
        return 0;
    if (program->as_ethernet) {
        if (!filter_cooked_to_ethernet(frame, filter->made, &made))
            return 0;
        frame = &made;
    } else if (filter_cooked_untag(frame, filter->made, &made)) {
        frame = &made;
    }
    return run(&program->code[0], frame->bytes, frame->captured, frame->length);
}

uint32_t filter_accepts(struct filter *filter, const struct frame *frame)
{
    struct program *program = filter->last;
    assert(program != NULL && frame->captured <= frame->length);
    if (program->link_type != frame->link_type)
        program = program_for(filter, frame->link_type);
    if (program == NULL || !program->compiled)
        return 0;
    filter->last = program;
    if (program->tagged)
        return run_tagged(filter, program, frame);
    if (program->cooked)
        return run_cooked(filter, program, frame);
    return run(&program->code[0], frame->bytes, frame->captured, frame->length);
}
