/* Inside of control/ue/: a dialog (RFC 3261 12), for calls. */
#pragma once

#include "control/base/parse.h"
#include "control/ue/ue_internal.h"

#define UE_DIALOG_FIELD 2048 /* octets of anything that a dialog keeps */

struct ue_dialog {
	char tag[17];
	char *call_id, *remote_tag; /* remote_tag NULL: not known yet */
	char *local, *remote;	    /* URIs of From and To */
	char *target, *route;	    /* route NULL: that of the registration */
	uint32_t cseq, remote_cseq;
};

/* As caller; and as callee, from the INVITE. -ENOMEM, -EBADMSG */
int ue_dialog_out(struct ue_dialog *d, const struct ue *u, struct sv to);
int ue_dialog_in(struct ue_dialog *d, const struct sip_msg *invite);
/* What a response to our INVITE says of the peer; route sets are those of the last one. */
int ue_dialog_answered(struct ue_dialog *d, const struct sip_msg *m);
/* *target: as Contact says, if there is a good one (RFC 3261 12.2.1.2, 12.2.2). */
void ue_target_keep(char **target, const struct sip_msg *m);
/* *route: Record-Route as it stands (callee, RFC 3261 12.1.1) or backwards (caller, 12.1.2); NULL
 * without one. -EBADMSG: too long, -ENOMEM */
int ue_route_keep(char **route, const struct sip_msg *m, bool backwards);
bool ue_dialog_has(const struct ue_dialog *d, const struct sip_msg *request);
void ue_dialog_clear(struct ue_dialog *d);
/* Start line and all fields of a request but those of its body. */
void ue_dialog_write(const struct ue *u, const struct ue_dialog *d, const struct ue_set *on,
		     const char *branch, enum sip_method method, uint32_t cseq, struct sbuf *b);
void ue_contact_end_write(const struct ue *u, struct sbuf *b);
void ue_contact_write(const struct ue *u, struct sbuf *b);
