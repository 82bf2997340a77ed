#include "aggregate/name_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/netscope-names-XXXXXX";

static void write_file(const char *text)
{
    strcpy(path + sizeof path - 7, "XXXXXX");
    int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

static struct name_file *load(const char *text)
{
    struct error error = {.text = ""};
    write_file(text);
    struct name_file *file = name_file_load(path, &error);
    unlink(path);
    cr_assert_not_null(file, "%s", error.text);
    return file;
}

static void expect_refused(const char *text, const char *line, const char *what)
{
    struct error error = {.text = ""};
    write_file(text);
    cr_expect_null(name_file_load(path, &error));
    unlink(path);
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, path), "%s", error.text);
    cr_expect_not_null(strstr(error.text, line), "%s", error.text);
    cr_expect_not_null(strstr(error.text, what), "%s", error.text);
}

static const struct name_row *get(const struct name_file *file, const char *text)
{
    struct address address;
    cr_assert(address_parse(text, &address));
    return name_file_get(file, &address);
}

static void expect_name(const struct name_file *file, const char *address, const char *name)
{
    const struct name_row *row = get(file, address);
    cr_assert_not_null(row, "%s", address);
    cr_expect_str_eq(row->name, name);
}

Test(name_file, gives_the_longest_prefix)
{
    struct name_file *file = load("0.0.0.0/0,internet\n"
                                  "10.0.0.0/8,office,,net\n"
                                  "10.1.0.0/16,lab\n"
                                  "10.1.2.3,printer,default,pod\n"
                                  "2001:db8::/32,docs\n"
                                  "2001:db8::7,seven\n");
    expect_name(file, "8.8.8.8", "internet");
    expect_name(file, "10.200.0.1", "office");
    expect_name(file, "10.1.255.255", "lab");
    expect_name(file, "10.1.2.3", "printer");
    expect_name(file, "10.1.2.4", "lab");
    expect_name(file, "2001:db8::7", "seven");
    expect_name(file, "2001:db8::8", "docs");
    cr_expect_null(get(file, "2001:db9::"), "IPv4's default is not IPv6's");
    const struct name_row *row = get(file, "10.1.2.3");
    cr_expect_str_eq(row->name_space, "default");
    cr_expect_str_eq(row->kind, "pod");
    row = get(file, "10.200.0.1");
    cr_expect_str_eq(row->name_space, "");
    cr_expect_str_eq(row->kind, "net");
    name_file_destroy(file);
}

Test(name_file, skips_header_comments_and_empty_lines)
{
    struct name_file *file = load("CIDR,name,namespace,kind\n"
                                  "# the lab\n"
                                  "\n"
                                  "  \t\r\n"
                                  " \"10.0.0.1\" , \"box\" , lab \r\n"
                                  "10.0.0.2,last,,,more,columns");
    expect_name(file, "10.0.0.1", "box");
    cr_expect_str_eq(get(file, "10.0.0.1")->name_space, "lab");
    expect_name(file, "10.0.0.2", "last");
    cr_expect_null(get(file, "10.0.0.3"));
    name_file_destroy(file);
}

Test(name_file, may_be_empty)
{
    struct name_file *file = load("");
    cr_expect_null(get(file, "10.0.0.1"));
    name_file_destroy(file);
    name_file_destroy(NULL);
}

Test(name_file, finds_every_row_of_many)
{
    enum { ROWS = 5000, ROW_BYTES = 40 };
    char *text = calloc(ROWS, ROW_BYTES), *at = text;
    for (unsigned i = 0; i < ROWS; i++) {
        unsigned shuffled = i * 7919 % ROWS;
        at += sprintf(at, "10.0.%u.%u,h%u\n", shuffled / 256, shuffled % 256, shuffled);
    }
    struct name_file *file = load(text);
    free(text);
    for (unsigned i = 0; i < ROWS; i++) {
        char address[32], name[32];
        snprintf(address, sizeof address, "10.0.%u.%u", i / 256, i % 256);
        snprintf(name, sizeof name, "h%u", i);
        expect_name(file, address, name);
    }
    cr_expect_null(get(file, "10.0.255.255"));
    name_file_destroy(file);
}

Test(name_file, names_the_line_that_is_wrong)
{
    expect_refused("10.0.0.0/8,office\nhello,world\n", ":2:", "hello");
    expect_refused("10.0.0.1/8,office\n", ":1:", "host bits");
    expect_refused("10.0.0.0/8\n", ":1:", "name is missing");
    expect_refused("10.0.0.0/8,  \n", ":1:", "name is missing");
    expect_refused("10.0.0.0/33,x\n", ":1:", "10.0.0.0/33");
    expect_refused("10.0.0.1,x\ncidr,name\n", ":2:", "cidr");
}

Test(name_file, says_why_it_cannot_be_read)
{
    struct error error;
    cr_expect_null(name_file_load("/nonexistent/names.csv", &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT, "a wrong setting");
    cr_expect_not_null(strstr(error.text, "/nonexistent/names.csv"));
    cr_expect_not_null(strstr(error.text, "No such file"));
}
