"""Domains that anybody can get a mailbox at: an address there says nothing about a company."""

from __future__ import annotations

_DOMAINS = """
gmail.com googlemail.com
outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.pt outlook.dk outlook.be outlook.com.br
outlook.co.uk outlook.in outlook.ie outlook.cl outlook.com.ar outlook.com.au
hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.nl hotmail.be hotmail.se hotmail.no
hotmail.dk hotmail.ca hotmail.co.jp hotmail.com.br hotmail.com.ar
live.com live.co.uk live.de live.fr live.it live.nl live.be live.ca live.se live.no live.dk live.com.au live.com.mx
msn.com passport.com windowslive.com
yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.co.in yahoo.in yahoo.co.jp yahoo.com.br
yahoo.com.ar yahoo.com.mx yahoo.com.au yahoo.co.id yahoo.com.ph yahoo.com.vn yahoo.com.tr yahoo.ie yahoo.gr yahoo.pl
yahoo.ro yahoo.se yahoo.no yahoo.dk yahoo.com.hk yahoo.com.sg yahoo.com.tw yahoo.co.nz yahoo.co.za ymail.com
rocketmail.com
icloud.com me.com mac.com
aol.com aol.co.uk aol.de aol.fr aim.com
proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io tuta.com tutamail.com keemail.me
gmx.com gmx.de gmx.net gmx.at gmx.ch gmx.fr gmx.co.uk gmx.us web.de mail.com email.com freenet.de t-online.de arcor.de
posteo.de posteo.net mailbox.org magenta.de online.de
zoho.com zohomail.com zohomail.eu zohomail.in fastmail.com fastmail.fm hey.com hushmail.com runbox.com startmail.com
disroot.org riseup.net inbox.com lycos.com excite.com rediffmail.com usa.com mailfence.com duck.com
yandex.com yandex.ru yandex.ua yandex.kz yandex.by ya.ru mail.ru bk.ru inbox.ru list.ru internet.ru rambler.ru ukr.net
i.ua meta.ua
qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn aliyun.com tom.com 21cn.com
naver.com daum.net hanmail.net nate.com kakao.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com
orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr
libero.it virgilio.it tiscali.it alice.it tin.it tim.it email.it inwind.it iol.it poste.it
wp.pl o2.pl onet.pl op.pl poczta.onet.pl vp.pl interia.pl interia.eu gazeta.pl tlen.pl
seznam.cz email.cz centrum.cz atlas.cz post.cz volny.cz azet.sk centrum.sk zoznam.sk freemail.hu citromail.hu
abv.bg mail.bg dir.bg bluewin.ch hispeed.ch sunrise.ch chello.at aon.at a1.net
telenet.be skynet.be proximus.be ziggo.nl kpnmail.nl planet.nl xs4all.nl hetnet.nl home.nl upcmail.nl
telia.com bredband.net spray.se online.no getmail.no jubii.dk ofir.dk luukku.com suomi24.fi
sapo.pt mail.pt clix.pt terra.es telefonica.net ono.com uol.com.br bol.com.br terra.com.br ig.com.br globo.com
globomail.com r7.com prodigy.net.mx
btinternet.com virginmedia.com sky.com talktalk.net ntlworld.com blueyonder.co.uk eircom.net
comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com netzero.net
optonline.net frontier.com windstream.net centurylink.net roadrunner.com shaw.ca rogers.com sympatico.ca videotron.ca
bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au xtra.co.nz
mynet.com walla.co.il walla.com in.gr otenet.gr webmail.co.za mweb.co.za
"""

FREE_MAIL_DOMAINS: frozenset[str] = frozenset(_DOMAINS.split())
