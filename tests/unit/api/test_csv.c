#include "api/csv.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "api/flow_message.h"
#include "base/strbuf.h"
#include "netscope/v1/flow.pb-c.h"
#include "sample_flow.h"

static struct message_plan *plan;
static struct strbuf text;

static void setup(void)
{
    plan = message_plan_create(flow_message_descriptor());
    strbuf_init(&text, 1 << 20);
}

static void teardown(void)
{
    message_plan_destroy(plan);
    strbuf_done(&text);
}

TestSuite(csv, .init = setup, .fini = teardown);

// Columns of the one line in the buffer; quotes count.
static unsigned columns(void)
{
    unsigned count = 1;
    bool quoted = false;
    for (const char *at = text.text; *at != '\0'; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (*at == ',' && !quoted)
            count++;
    }
    return count;
}

Test(csv, header_is_flat)
{
    csv_add_header(&text, plan);
    cr_assert(eq(uint, columns(), plan->columns));
    const char *start = "protocol,endpoint_a.ip,endpoint_a.port,endpoint_a.name,endpoint_a.namespace,"
                        "endpoint_a.name_source,endpoint_b.ip,";
    cr_assert(strncmp(text.text, start, strlen(start)) == 0, "%s", text.text);
    cr_assert(strstr(text.text, ",first_seen,first_seen_time,last_seen,last_seen_time,") != NULL);
    cr_assert(strstr(text.text,
                     ",tunnel.kind,tunnel.id,tunnel.source_ip,tunnel.target_ip,tunnel.peer_id,app,") != NULL);
    cr_assert(eq(chr, text.text[text.length - 1], '\n'));
}

Test(csv, full_flow)
{
    struct flow_message *message = flow_message_create();
    struct flow_event sample;
    sample_flow_full(&sample);
    csv_add_row(&text, plan, flow_message_fill(message, &sample));
    cr_expect(eq(uint, columns(), plan->columns));
    cr_expect(
        eq(str, text.text,
           "tcp,10.0.0.1,40000,client,default,file,2001:db8::1,443,server,shop,dns,"
           "1714564800.123456789,2024-05-01T12:00:00.123456789Z,1714564802.623456789,"
           "2024-05-01T12:00:02.623456789Z,2.5,10,20,1000,18014398509481985,30,18014398509482985,"
           "5.764607523034555e+16,fin_wait,a_to_b,syn_ack,outbound,3,7,1.234567,1,1.100001,5,2.5,end,2,true,"
           "node-1,eth0,veth1;cni0,1:LQU9qZlK+B5F3KDmev6m5PMibrg=,S2,^hADFa,42,vxlan,77,192.0.2.1,192.0.2.2,,"
           "dns,"
           "example.com,complete,\"h2,http/1.1\",4505c7da2406849a847f2066c46b58e5,"
           "t10d0203h2_f54dd463d39b_33a13ba74d1c,www.example.com,NXDOMAIN,27,18,11,15,19,"
           "2fd1db959a14e2191503b5d293f5bf9f,500,600,23,1,2,3,4,5,6,7,8,9,10,11,12,"
           "0.2,0.1,0.15,3,1.234567,1,1.100001,5,true,TLS 1.3\n"));
    flow_message_destroy(message);
}

Test(csv, unknown_is_empty_and_keeps_its_columns)
{
    Netscope__V1__Flow flow = NETSCOPE__V1__FLOW__INIT;
    csv_add_row(&text, plan, &flow);
    cr_assert(eq(uint, columns(), plan->columns));
    cr_assert(strncmp(text.text, ",,,,,,,,,,,,,,,0,0,", 19) == 0, "%s", text.text);
}

Test(csv, quoting)
{
    Netscope__V1__Tunnel tunnel = NETSCOPE__V1__TUNNEL__INIT;
    struct message_plan *tunnel_plan = message_plan_create(&netscope__v1__tunnel__descriptor);
    tunnel.source_ip = (char[]){"say \"hi\", then\r\ngo"};
    tunnel.target_ip = (char[]){"a;b c"};
    csv_add_row(&text, tunnel_plan, &tunnel);
    cr_assert(eq(str, text.text, ",0,\"say \"\"hi\"\", then\r\ngo\",a;b c,\n"));
    message_plan_destroy(tunnel_plan);
}
