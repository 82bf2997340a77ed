#include "config/toml_hint.h"

#include <criterion/criterion.h>
#include <string.h>

static struct error error;

static bool passes(const char *name, const char *text)
{
    return toml_refuse(name, text, strlen(text), &error);
}

Test(toml_hint, tells_toml_by_content)
{
    cr_expect_not(passes("a.conf", "[capture]\ninterface = \"eth0\"\n"));
    cr_expect_not(passes("a.conf", "# seed\r\n\r\n  [web.tls] # here\r\nenabled = true\n"));
    cr_expect(strstr(error.text, "a.conf:3: this is TOML") != NULL, "%s", error.text);
    cr_expect(strstr(error.text, "interfaces: [eth0]") != NULL, "%s", error.text);
    cr_expect_not(passes("a.conf", "snaplen=5"));
    cr_expect_not(passes("a.conf", "capture.snaplen = 5"));
}

Test(toml_hint, tells_toml_by_name)
{
    cr_expect_not(passes("netscope.toml", "capture: {}\n"));
    cr_expect_eq(error.kind, ERROR_INVALID_ARGUMENT);
}

Test(toml_hint, lets_yaml_pass)
{
    static const char *const yaml[] = {
        "",     "capture:\n", "# a = b\ncapture:\n", "[", "[]", "[a, b]", "[capture",
        "\n\n", "key",        "{capture: {}}"};
    for (size_t i = 0; i < sizeof yaml / sizeof yaml[0]; i++)
        cr_expect(passes("netscope.yaml", yaml[i]), "\"%s\"", yaml[i]);
}
