#include "capture/file/file_input.h"

#include <assert.h>
#include <stdlib.h>

void file_input_close(struct file_input *input)
{
    if (input->reader == NULL)
        return;
    file_reader_close(input->reader);
    free(input->reader);
    input->reader = NULL;
    input->has_head = false;
}

bool file_input_open(struct file_input *input, struct chunk_pool *pool, struct error *error)
{
    assert(input->reader == NULL && !input->has_head);
    input->reader = malloc(sizeof *input->reader);
    if (input->reader == NULL)
        return error_set(error, ERROR_EXHAUSTED, "%s finds no memory to be read", input->path);
    if (file_reader_open(input->reader, input->path, &input->identity, pool, error))
        return true;
    free(input->reader);
    input->reader = NULL;
    return false;
}

void file_input_read_head(struct file_input *input, bool header_is_enough)
{
    struct file_reader *reader = input->reader;
    assert(reader != NULL && !input->has_head);
    bool pipe = header_is_enough && !stream_is_file(reader->stream);
    for (;;) {
        enum reader_result result = file_reader_next(reader, &input->head);
        input->has_head = result == READER_FRAME;
        if (result != READER_NEEDS_BYTES || (pipe && reader->header_read))
            return;
        file_reader_fill(reader, -1);
    }
}

bool file_input_is_ended(const struct file_input *input)
{
    return !input->has_head && (input->reader->verdict != ERROR_NONE || input->reader->input_ended);
}
