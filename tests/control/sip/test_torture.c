/*
 * The cases of RFC 4475, section by section. The messages are our own, each with the property that
 * its section is about. What an element shall answer is its own business; here is what the scanner
 * takes, and how it reads it.
 */
#include <errno.h>
#include <stdlib.h>

#include "control/sip/msg.h"
#include "tests/support/test.h"

#define TAIL                                                                                       \
	"From: <sip:caller@example.net>;tag=f\r\n"                                                 \
	"To: <sip:callee@example.org>\r\n"                                                         \
	"Call-ID: torture@192.0.2.1\r\n"                                                           \
	"Max-Forwards: 70\r\n"
#define VIA	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKt\r\n"
#define CSEQ	"CSeq: 8 OPTIONS\r\n"
#define END	"Content-Length: 0\r\n\r\n"
#define OPTIONS "OPTIONS sip:callee@example.org SIP/2.0\r\n"
#define NORMAL	OPTIONS VIA TAIL CSEQ

struct torture {
	const char *section;
	const char *text;
	size_t n; /* 0: up to the NUL */
	int err;
	void (*check)(const struct sip_msg *m); /* NULL: it is enough that it was read */
};

static void assert_sv(struct sv v, const char *text)
{
	if (!sv_eq(v, sv_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", SV_ARG(v), text);
}

/* 3.1.1.1: folds and blanks wherever they may be, compact forms, odd unknown fields, leading zeros
 */
static void check_wsinv(const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_VIA};
	struct sv e, q;
	struct sip_via v;
	struct sip_addr a;
	unsigned n = 0;

	assert_int_equal(m->method, SIP_INVITE);
	assert_sv(m->to_tag, "19x81");
	assert_sv(m->from_tag, "98asjd8");
	assert_int_equal(m->cseq, 9);
	assert_sv(sip_msg_value(m, SIP_HDR_MAX_FORWARDS), "0068");
	while (sip_list_walk(&l, &e)) {
		assert_int_equal(sip_via_parse(&v, e), 0);
		n++;
	}
	assert_int_equal(n, 3);
	assert_sv(v.host, "192.168.255.111");
	l = (struct sip_list){.msg = m, .id = SIP_HDR_CONTACT};
	assert_true(sip_list_walk(&l, &e));
	assert_int_equal(sip_addr_parse(&a, e), 0);
	assert_sv(a.display, "\"Quoted string \\\"\\\"\"");
	assert_true(sip_param(a.params, SV("newparam"), &q));
	assert_true(sip_param(a.params, SV("q"), &q));
	assert_sv(q, "0.33");
	assert_true(sip_list_walk(&l, &e));
	assert_sv(e, "tel:4443322");
	assert_sv(m->body, "v=0\r\n");
}

/* 3.1.1.2: every character that a token, a user part, a quoted string may hold */
static void check_intmeth(const struct sip_msg *m)
{
	assert_int_equal(m->method, SIP_OTHER);
	assert_sv(m->method_name, "!interesting-Method0123456789_*+`.%indeed'~");
	assert_sv(m->from_tag, "_token~1'+`*%!-.");
	assert_sv(m->call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{");
}

/* 3.1.1.3: escapes stand as they are; the identity has them undone where they are needless */
static void check_esc01(const struct sip_msg *m)
{
	char buf[128];
	struct sip_uri u;

	assert_int_equal(sip_uri_parse(&u, m->uri), 0);
	assert_sv(u.user, "sips%3Auser%40example.com");
	assert_sv(u.host, "example.net");
	assert_sv(sip_identity(m->uri, buf, sizeof(buf)),
		  "sip:sips%3Auser%40example.com@example.net");
}

/* 3.1.1.4: an escaped NUL is part of the name, not its end */
static void check_escnull(const struct sip_msg *m)
{
	char a[64], b[64];

	assert_sv(sip_identity(m->uri, a, sizeof(a)), "sip:null-%00-null@example.com");
	assert_false(sv_eq(sip_identity(m->uri, a, sizeof(a)),
			   sip_identity(SV("sip:null-@example.com"), b, sizeof(b))));
}

/* 3.1.1.5: "%" in a method is a character like others */
static void check_esc02(const struct sip_msg *m)
{
	assert_sv(m->method_name, "RE%47IST%45R");
	assert_int_equal(m->method, SIP_OTHER);
}

/* 3.1.1.6: no blank between name and "<" */
static void check_lwsdisp(const struct sip_msg *m)
{
	struct sip_addr a;

	assert_int_equal(sip_addr_parse(&a, sip_msg_value(m, SIP_HDR_FROM)), 0);
	assert_sv(a.display, "caller");
	assert_sv(a.uri, "sip:caller@example.com");
}

/* 3.1.1.8: a second message behind the first in one datagram is not of it */
static void check_dblreq(const struct sip_msg *m)
{
	assert_int_equal(m->method, SIP_REGISTER);
	assert_sv(m->body, "");
	assert_int_equal(m->n, 7);
}

/* 3.1.1.9: ";" in the user part */
static void check_semiuri(const struct sip_msg *m)
{
	struct sip_uri u;

	assert_int_equal(sip_uri_parse(&u, m->uri), 0);
	assert_sv(u.user, "user;par=u%40example.net");
	assert_sv(u.host, "example.com");
}

/* 3.1.1.10: any transport */
static void check_transports(const struct sip_msg *m)
{
	static const char *const want[] = {"UDP", "SCTP", "TLS", "UNKNOWN", "TCP"};
	struct sip_list l = {.msg = m, .id = SIP_HDR_VIA};
	struct sip_via v;
	struct sv e;
	unsigned n = 0;

	while (sip_list_walk(&l, &e)) {
		assert_int_equal(sip_via_parse(&v, e), 0);
		assert_sv(v.transport, want[n++]);
	}
	assert_int_equal(n, 5);
}

/* 3.1.1.11: a body may hold anything, lines that look like a head too */
static void check_mpart(const struct sip_msg *m)
{
	assert_int_equal(m->body.n, 31);
	assert_int_equal(m->body.p[20], '\0');
}

static void check_unreason(const struct sip_msg *m)
{
	assert_int_equal(m->status, 200);
	assert_sv(m->reason, "= 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe");
}

static void check_noreason(const struct sip_msg *m)
{
	assert_int_equal(m->status, 100);
	assert_sv(m->reason, "");
}

/* 3.1.2.1: separators without anything between them. Lists read over them; Contact's are not the
 * scanner's. */
static void check_badinv(const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sv e;

	assert_true(sip_list_walk(&l, &e));
	assert_int_equal(sip_addr_parse(&a, e), -EBADMSG);
}

/* 3.1.2.11: read, but a user of the message finds the header part of the URI */
static void check_escruri(const struct sip_msg *m)
{
	struct sip_uri u;

	assert_int_equal(sip_uri_parse(&u, m->uri), 0);
	assert_sv(u.headers, "?Route=%3Csip:example.com%3E");
}

/* 3.1.2.13: without <>, "?" cannot be of the URI (RFC 3261 20.10) */
static void check_regbadct(const struct sip_msg *m)
{
	struct sip_addr a;

	assert_int_equal(sip_addr_parse(&a, sip_msg_value(m, SIP_HDR_CONTACT)), -EBADMSG);
}

/* 3.1.2.15: a name that should have quotes; harmless, so read */
static void check_baddn(const struct sip_msg *m)
{
	struct sip_addr a;

	assert_int_equal(sip_addr_parse(&a, sip_msg_value(m, SIP_HDR_FROM)), 0);
	assert_sv(a.display, "Bell, Alexander");
}

/* 3.2.1: the cookie with nothing behind it; transactions then go by RFC 2543 (test_txn_server.c) */
static void check_badbranch(const struct sip_msg *m)
{
	assert_sv(m->branch, "z9hG4bK");
}

/* 3.3.2, 3.3.3 */
static void check_scheme(const struct sip_msg *m)
{
	struct sip_uri u;
	char buf[64];

	assert_int_equal(sip_uri_parse(&u, m->uri), 0);
	assert_int_equal(u.host.n, 0);
	assert_int_equal(sip_identity(m->uri, buf, sizeof(buf)).n, 0);
}

/* 3.3.14: escaped headers of a Contact stay inside its URI */
static void check_regescrt(const struct sip_msg *m)
{
	struct sip_addr a;
	struct sip_uri u;

	assert_int_equal(sip_addr_parse(&a, sip_msg_value(m, SIP_HDR_CONTACT)), 0);
	assert_int_equal(sip_uri_parse(&u, a.uri), 0);
	assert_sv(u.headers, "?Route=%3Csip:sip.example.com%3E");
	assert_int_equal(a.params.n, 0);
}

/* 3.3.12, 3.3.13: inside <> it is the URI's, behind it the field's */
static void check_cparam(const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sip_uri u;
	struct sv e;

	assert_true(sip_list_walk(&l, &e));
	assert_int_equal(sip_addr_parse(&a, e), 0);
	assert_true(sip_param(a.params, SV("unknownparam"), NULL));
	assert_true(sip_list_walk(&l, &e));
	assert_int_equal(sip_addr_parse(&a, e), 0);
	assert_int_equal(sip_uri_parse(&u, a.uri), 0);
	assert_false(sip_param(a.params, SV("unknownparam"), NULL));
	assert_true(sip_param(u.params, SV("unknownparam"), NULL));
}

static void check_2543(const struct sip_msg *m)
{
	assert_sv(m->branch, "");
	assert_sv(m->from_tag, "");
}

static const char mpart[] = OPTIONS VIA TAIL CSEQ
	"Content-Type: multipart/mixed;boundary=b\r\nContent-Length: 31\r\n\r\n"
	"--b\r\n\r\nVia: none\r\n\r\n\0\xff\r\n--b--\r\n";

static const char intmeth_nul[] =
	OPTIONS VIA "From: \"BEL:\\\x07 NUL:\\\0\" <sip:a@example.com>;tag=1\r\n"
		    "To: <sip:b@example.com>\r\nCall-ID: n\r\n" CSEQ END;

static const struct torture cases[] = {
	{"3.1.1.1",
	 "INVITE sip:vic@chair.example.com;unknownparam SIP/2.0\r\n"
	 "TO :\r\n sip:vic@chair.example.com ;   tag    = 19x81\r\n"
	 "from   : \"J Rose \\\\\\\"\"       <sip:jd@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n"
	 "MaX-fOrWaRdS: 0068\r\n"
	 "Call-ID: wsinv.x@192.0.2.1\r\n"
	 "Content-Length   : 0005\r\n"
	 "cseq: 0009\r\n  INVITE\r\n"
	 "Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
	 "s :\r\n"
	 "NewField:   new value\r\n continued new value\r\n"
	 "UnusualValue: ;;,,;;,;\r\n"
	 "Content-Type: application/sdp\r\n"
	 "Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
	 "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
	 " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
	 "m:\"Quoted string \\\"\\\"\" <sip:jd@example.com> ; newparam =\r\n      newvalue ;\r\n"
	 "  secondparam ; q = 0.33\r\n"
	 "m: tel:4443322\r\n"
	 "\r\nv=0\r\n",
	 0, 0, check_wsinv},
	{"3.1.1.2",
	 "!interesting-Method0123456789_*+`.%indeed'~ "
	 "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
	 ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
	 "@example.com SIP/2.0\r\n" VIA
	 "To: \"BEL:\\\x07 DEL:\\\x7f\" <sip:1_unusual.URI~(to-be!sure)@example.com>\r\n"
	 "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>"
	 ";fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";tag=_token~1'+`*%!-.\r\n"
	 "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
	 "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n"
	 "extensionHeader-!.%*+_`'~:\xef\xbb\xbf\xe5\xa4\xa7\r\n" END,
	 0, 0, check_intmeth},
	{"3.1.1.2 with the quoted NUL, which we do not take", intmeth_nul, sizeof(intmeth_nul) - 1,
	 -EBADMSG, NULL},
	{"3.1.1.3",
	 "OPTIONS sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n" VIA TAIL CSEQ END, 0, 0,
	 check_esc01},
	{"3.1.1.4", "OPTIONS sip:null-%00-null@example.com SIP/2.0\r\n" VIA TAIL CSEQ END, 0, 0,
	 check_escnull},
	{"3.1.1.5",
	 "RE%47IST%45R sip:registrar.example.com SIP/2.0\r\n" VIA TAIL
	 "CSeq: 29344 RE%47IST%45R\r\n" END,
	 0, 0, check_esc02},
	{"3.1.1.6",
	 OPTIONS VIA "From: caller<sip:caller@example.com>;tag=323\r\nTo: "
		     "sip:user@example.com\r\nCall-ID: l\r\n" CSEQ END,
	 0, 0, check_lwsdisp},
	{"3.1.1.8",
	 "REGISTER sip:example.com SIP/2.0\r\n" VIA TAIL "CSeq: 8 REGISTER\r\n" END
	 "INVITE sip:joe@example.com SIP/2.0\r\n" VIA TAIL "CSeq: 8 INVITE\r\n" END,
	 0, 0, check_dblreq},
	{"3.1.1.9",
	 "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\n" VIA TAIL CSEQ END, 0, 0,
	 check_semiuri},
	{"3.1.1.10",
	 OPTIONS
	 "Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bK1\r\nVia: SIP/2.0/SCTP t2.example.com\r\n"
	 "Via: SIP/2.0/TLS t3.example.com\r\nVia: SIP/2.0/UNKNOWN t4.example.com\r\nVia: "
	 "SIP/2.0/TCP t5.example.com\r\n" TAIL CSEQ END,
	 0, 0, check_transports},
	{"3.1.1.11", mpart, sizeof(mpart) - 1, 0, check_mpart},
	{"3.1.1.12",
	 "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe\r\n" VIA TAIL CSEQ
		 END,
	 0, 0, check_unreason},
	{"3.1.1.13", "SIP/2.0 100 \r\n" VIA TAIL CSEQ END, 0, 0, check_noreason},
	{"3.1.2.1", NORMAL "Contact: \"Joe\" <sip:joe@example.org>;;;;,\"\r\nX: 1\r\n" END, 0, 0,
	 NULL},
	{"3.1.2.1 Contact", NORMAL "Contact: <sip:joe@example.org>x;;;;,\r\n" END, 0, 0,
	 check_badinv},
	{"3.1.2.1 Via", OPTIONS "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\"\r\n" TAIL CSEQ END, 0, 0,
	 NULL},
	{"3.1.2.1 To", OPTIONS VIA "From: sip:a@x;tag=\"\r\nTo: sip:b@x\r\nCall-ID: c\r\n" CSEQ END,
	 0, -EBADMSG, NULL},
	{"3.1.2.2", NORMAL "Content-Length: 9999\r\n\r\nv=0\r\n", 0, -EBADMSG, NULL},
	{"3.1.2.3", NORMAL "Content-Length: -999\r\n\r\nv=0\r\n", 0, -EBADMSG, NULL},
	{"3.1.2.4", OPTIONS VIA TAIL "CSeq: 36893488147419103232 OPTIONS\r\n" END, 0, -EBADMSG,
	 NULL},
	{"3.1.2.5", "SIP/2.0 503 Busy\r\n" VIA TAIL "CSeq: 9292394834772304023312 OPTIONS\r\n" END,
	 0, -EBADMSG, NULL},
	{"3.1.2.6",
	 OPTIONS VIA
	 "From: sip:a@x;tag=1\r\nTo: \"Mr. J. User <sip:j.user@example.com>\r\nCall-ID: q\r\n" CSEQ
		 END,
	 0, -EBADMSG, NULL},
	{"3.1.2.7", "OPTIONS <sip:user@example.com> SIP/2.0\r\n" VIA TAIL CSEQ END, 0, -EBADMSG,
	 NULL},
	{"3.1.2.8", "OPTIONS sip:user@example.com; lr SIP/2.0\r\n" VIA TAIL CSEQ END, 0, -EBADMSG,
	 NULL},
	{"3.1.2.9", "OPTIONS  sip:user@example.com  SIP/2.0\r\n" VIA TAIL CSEQ END, 0, -EBADMSG,
	 NULL},
	{"3.1.2.10", "OPTIONS sip:remote-target@example.com SIP/2.0  \r\n" VIA TAIL CSEQ END, 0,
	 -EBADMSG, NULL},
	{"3.1.2.11",
	 "OPTIONS sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0\r\n" VIA TAIL CSEQ END,
	 0, 0, check_escruri},
	{"3.1.2.12", NORMAL "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n" END, 0, 0, NULL},
	{"3.1.2.13", NORMAL "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\n" END,
	 0, 0, check_regbadct},
	{"3.1.2.14",
	 OPTIONS VIA "From: \"B\" <sip:a@x>;tag=4\r\nTo: \"W\" < sip:t.watson@example.org "
		     ">\r\nCall-ID: b\r\n" CSEQ END,
	 0, -EBADMSG, NULL},
	{"3.1.2.15",
	 OPTIONS VIA
	 "From: Bell, Alexander <sip:a@x>;tag=4\r\nTo: sip:b@x\r\nCall-ID: b\r\n" CSEQ END,
	 0, 0, check_baddn},
	{"3.1.2.16", "OPTIONS sip:t.watson@example.org SIP/7.0\r\n" VIA TAIL CSEQ END, 0, -EBADMSG,
	 NULL},
	{"3.1.2.17", OPTIONS VIA TAIL "CSeq: 8 INVITE\r\n" END, 0, -EBADMSG, NULL},
	{"3.1.2.18", "NEWMETHOD sip:user@example.com SIP/2.0\r\n" VIA TAIL "CSeq: 8 INVITE\r\n" END,
	 0, -EBADMSG, NULL},
	{"3.1.2.19", "SIP/2.0 4294967301 better not break the receiver\r\n" VIA TAIL CSEQ END, 0,
	 -EBADMSG, NULL},
	{"3.2.1", OPTIONS "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\r\n" TAIL CSEQ END, 0, 0,
	 check_badbranch},
	{"3.3.1",
	 "INVITE sip:user@example.com SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP "
	 "192.0.2.95;branch=z9hG4bKk\r\n" END,
	 0, -EBADMSG, NULL},
	{"3.3.2",
	 "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n" VIA TAIL CSEQ END, 0, 0,
	 check_scheme},
	{"3.3.3", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n" VIA TAIL CSEQ END, 0, 0,
	 check_scheme},
	{"3.3.4",
	 OPTIONS VIA
	 "From: <http://www.example.com>;tag=3\r\nTo: isbn:2983792873\r\nCall-ID: u\r\n" CSEQ
	 "Contact: <name:John_Smith>\r\n" END,
	 0, 0, NULL},
	{"3.3.5",
	 NORMAL "Require: nothingSupportsThis, nothingSupportsThisEither\r\nProxy-Require: "
		"noProxiesSupportThis\r\n" END,
	 0, 0, NULL},
	{"3.3.6", NORMAL "Content-Type: application/unknownformat\r\nContent-Length: 3\r\n\r\n<a>",
	 0, 0, NULL},
	{"3.3.7", NORMAL "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n" END, 0, 0,
	 NULL},
	{"3.3.8", NORMAL "CSeq: 59 OPTIONS\r\nCall-ID: second\r\n" END, 0, -EBADMSG, NULL},
	{"3.3.8 From", NORMAL "From: sip:mallory@example.com;tag=2\r\n" END, 0, -EBADMSG, NULL},
	{"3.3.9",
	 NORMAL "Content-Length: 13\r\nContent-Length: 5\r\n\r\nThere's no way to know how long", 0,
	 -EBADMSG, NULL},
	{"3.3.10",
	 "SIP/2.0 200 OK\r\n" VIA
	 "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n" TAIL CSEQ END,
	 0, 0, NULL},
	{"3.3.11",
	 OPTIONS VIA
	 "From: sip:a@x;tag=1\r\nTo: sip:b@x\r\nCall-ID: z\r\nMax-Forwards: 0\r\n" CSEQ END,
	 0, 0, NULL},
	{"3.3.12",
	 NORMAL "Contact: sip:+19725552222@gw1.example.net;unknownparam\r\nContact: "
		"<sip:+1@gw2.example.net;unknownparam>\r\n" END,
	 0, 0, check_cparam},
	{"3.3.14", NORMAL "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\r\n" END,
	 0, 0, check_regescrt},
	{"3.3.15", NORMAL "Accept: text/nobodyKnowsThis\r\nContent-Length: 5\r\n\r\nv=0\r\n", 0, 0,
	 NULL},
	{"3.4.1",
	 "INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\nFrom: "
	 "<sip:+13035551111@ift.client.example.net;user=phone>\r\n"
	 "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\nTo: "
	 "sip:+16505552222@ss1.example.net;user=phone\r\n"
	 "Call-ID: inv2543.1717@ift.client.example.com\r\nCSeq: 56 INVITE\r\nContact: "
	 "<sip:+1@ift.client.example.com>\r\n\r\nv=0\r\n",
	 0, 0, check_2543},
};

/* In memory of just its size, so that a read beyond it shows. */
static void run(const struct torture *t, struct sip_msg *m)
{
	size_t n = t->n ? t->n : strlen(t->text);
	char *copy = malloc(n);
	int err;

	memcpy(copy, t->text, n);
	err = sip_msg_parse(m, (struct sv){copy, n});
	if (err != t->err)
		fail_msg("RFC 4475 %s: %d", t->section, err);
	if (t->check)
		t->check(m);
	free(copy);
}

static void test_cases(void **state)
{
	static struct sip_msg m;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		run(&cases[i], &m);
}

/* 3.1.1.7: names, values, URIs and lists far longer than usual */
static void test_long(void **state)
{
	static char text[20000], word[2001];
	static struct sip_msg m;
	int n;

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	n = snprintf(text, sizeof(text),
		     "INVITE sip:%s@example.net;%s=%s SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP sip33.example.com;branch=z9hG4bK%s\r\n"
		     "From: \"%s\" <sip:%s@example.net>;tag=%s\r\n"
		     "To: <sip:amy@example.org>\r\nCall-ID: %s@x\r\n"
		     "CSeq: 3882340 INVITE\r\n%s: x\r\n\r\n",
		     word, word, word, word, word, word, word, word, word);
	assert_int_equal(sip_msg_parse(&m, (struct sv){text, (size_t)n}), 0);
	assert_int_equal(m.branch.n, 2007);
	assert_int_equal(m.from_tag.n, 2000);
	assert_int_equal(m.call_id.n, 2002);
	assert_int_equal(m.h[5].id, SIP_HDR_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
