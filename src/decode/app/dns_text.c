#include <stdio.h>

#include "decode/app/dns.h"

// IANA "Resource Record (RR) TYPEs".
static const struct {
    uint16_t type;
    const char *name;
} types[] = {
    {1, "A"},       {2, "NS"},       {5, "CNAME"},       {6, "SOA"},     {10, "NULL"},   {11, "WKS"},
    {12, "PTR"},    {13, "HINFO"},   {14, "MINFO"},      {15, "MX"},     {16, "TXT"},    {17, "RP"},
    {18, "AFSDB"},  {24, "SIG"},     {25, "KEY"},        {28, "AAAA"},   {29, "LOC"},    {33, "SRV"},
    {35, "NAPTR"},  {36, "KX"},      {37, "CERT"},       {39, "DNAME"},  {41, "OPT"},    {42, "APL"},
    {43, "DS"},     {44, "SSHFP"},   {45, "IPSECKEY"},   {46, "RRSIG"},  {47, "NSEC"},   {48, "DNSKEY"},
    {49, "DHCID"},  {50, "NSEC3"},   {51, "NSEC3PARAM"}, {52, "TLSA"},   {53, "SMIMEA"}, {55, "HIP"},
    {59, "CDS"},    {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"},  {63, "ZONEMD"}, {64, "SVCB"},
    {65, "HTTPS"},  {99, "SPF"},     {108, "EUI48"},     {109, "EUI64"}, {249, "TKEY"},  {250, "TSIG"},
    {251, "IXFR"},  {252, "AXFR"},   {253, "MAILB"},     {255, "ANY"},   {256, "URI"},   {257, "CAA"},
    {32769, "DLV"},
};

// IANA "DNS RCODEs".
static const char *const rcodes[] = {
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",    "REFUSED",        "YXDOMAIN",
    "YXRRSET", "NXRRSET", "NOTAUTH",  "NOTZONE",  "DSOTYPENI", [16] = "BADVERS", "BADKEY",
    "BADTIME", "BADMODE", "BADNAME",  "BADALG",   "BADTRUNC",  "BADCOOKIE",
};

const char *dns_type_name(uint16_t type, char into[12])
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].type == type)
            return types[i].name;
    snprintf(into, 12, "TYPE%u", type);
    return into;
}

const char *dns_rcode_name(uint16_t rcode, char into[12])
{
    if (rcode < sizeof rcodes / sizeof rcodes[0] && rcodes[rcode] != NULL)
        return rcodes[rcode];
    snprintf(into, 12, "RCODE%u", rcode);
    return into;
}
