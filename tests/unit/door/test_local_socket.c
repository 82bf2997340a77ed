#include "door/local_socket.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct error error;
static struct local_socket one, other;
static char path[64];

static void begin(void)
{
    snprintf(path, sizeof path, "/tmp/netscope-test-local-%d", (int)getpid());
    one.descriptor = other.descriptor = -1;
}

static void end(void)
{
    local_socket_close(&one);
    local_socket_close(&other);
    unlink(path);
}

TestSuite(local_socket, .init = begin, .fini = end);

static mode_t mode_of_path(void)
{
    struct stat status;
    cr_assert_eq(lstat(path, &status), 0);
    return status.st_mode & 0777;
}

Test(local_socket, has_its_mode_whatever_the_umask)
{
    static const mode_t masks[] = {0, 022, 0777};
    for (unsigned i = 0; i < 3; i++) {
        umask(masks[i]);
        cr_assert(local_socket_open(&one, "grpc", path, &error), "%s", error.text);
        cr_expect_eq(mode_of_path(), 0660);
        local_socket_close(&one);
        cr_expect_neq(access(path, F_OK), 0, "its file is gone");
    }
}

Test(local_socket, replaces_what_a_dead_server_left)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, path);
    cr_assert_eq(bind(dead, (struct sockaddr *)&address, sizeof address), 0);
    close(dead);
    cr_expect(local_socket_open(&one, "grpc", path, &error), "%s", error.text);
}

Test(local_socket, leaves_a_live_server_alone)
{
    cr_assert(local_socket_open(&one, "grpc", path, &error), "%s", error.text);
    cr_expect_not(local_socket_open(&other, "web", path, &error));
    cr_expect(strstr(error.text, "another process listens on web.socket") != NULL, "%s", error.text);
    local_socket_close(&other);
    cr_expect_eq(mode_of_path(), 0660);
}

Test(local_socket, leaves_a_file_alone_that_is_no_socket)
{
    fclose(fopen(path, "w"));
    cr_expect_not(local_socket_open(&one, "grpc", path, &error));
    cr_expect(strstr(error.text, "no socket") != NULL, "%s", error.text);
    cr_expect_eq(access(path, F_OK), 0);
}

Test(local_socket, does_not_remove_its_successor)
{
    cr_assert(local_socket_open(&one, "grpc", path, &error), "%s", error.text);
    unlink(path);
    cr_assert(local_socket_open(&other, "grpc", path, &error), "%s", error.text);
    local_socket_close(&one);
    cr_expect_eq(access(path, F_OK), 0);
}

Test(local_socket, says_why_it_cannot_be_made)
{
    char far[200] = "/tmp/";
    cr_expect_not(local_socket_open(&one, "grpc", "/nowhere/socket", &error));
    cr_expect(strstr(error.text, "/nowhere/socket: No such file") != NULL, "%s", error.text);
    memset(far + 5, 'x', sizeof far - 6);
    cr_expect_not(local_socket_open(&one, "grpc", far, &error));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
}
