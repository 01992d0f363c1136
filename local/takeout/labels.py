"""What the exported label names mean to Gmail.

Takeout writes one header per message, for example `X-Gmail-Labels: Inbox,Unread,"Deals, 2026"`, in the language of
the account, RFC 2047-encoded when it is not ASCII. System labels become Gmail's ids (INBOX, SENT ...); a person's own
labels keep their names; states that Gmail does not keep as labels (opened, archived, IMAP keywords) vanish.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from pathlib import PurePath

# Gmail's own words in the languages it is most used in; "" marks states that are no labels.
_SPELLINGS = {
    "INBOX": "Inbox|Posteingang|Boîte de réception|Recibidos|Bandeja de entrada|Posta in arrivo"
    "|Caixa de entrada|Entrada|Postvak IN|Odebrane|Doručená pošta|Doručené|Inkorgen|Innboks|Indbakke"
    "|Saapuneet|Gelen Kutusu|Beérkező levelek|Входящие|Вхідні|Εισερχόμενα|受信トレイ|받은편지함"
    "|收件箱|收件匣",
    "SENT": "Sent|Sent Mail|Gesendet|Envoyé|Envoyés|Messages envoyés|Enviado|Enviados|E-mails enviados"
    "|Inviati|Inviata|Posta inviata|Verzonden|Verzonden berichten|Wysłane|Odeslané|Odeslaná pošta"
    "|Odoslané|Skickat|Skickade|Sendt|Sendte|Lähetetyt|Gönderilmiş Postalar|Gönderilenler"
    "|Elküldött levelek|Отправленные|Надіслані|Απεσταλμένα|送信済み|送信済みメール|보낸편지함|已发送"
    "|已发邮件|寄件備份",
    "TRASH": "Trash|Bin|Papierkorb|Corbeille|Papelera|Cestino|Lixeira|Lixo|Prullenbak|Kosz|Koš|Kôš"
    "|Papperskorgen|Papirkurv|Papirkurven|Roskakori|Çöp Kutusu|Kuka|Корзина|Кошик|Κάδος απορριμμάτων"
    "|ゴミ箱|휴지통|已删除邮件|回收站|垃圾桶",
    "SPAM": "Spam|Junk|Correo no deseado|Roskaposti|Skräppost|Спам|Ανεπιθύμητα|迷惑メール|스팸함|垃圾邮件|垃圾郵件",
    "DRAFT": "Draft|Drafts|Entwurf|Entwürfe|Brouillon|Brouillons|Borrador|Borradores|Bozza|Bozze|Rascunho"
    "|Rascunhos|Concepten|Wersje robocze|Koncepty|Utkast|Kladde|Kladder|Luonnokset|Taslaklar"
    "|Piszkozatok|Черновики|Чернетки|Πρόχειρα|下書き|임시보관함|草稿",
    "CHAT": "Chat|Chats|Chaty|Czat|Чат|Чаты|Чати|チャット|채팅|聊天|即時通訊",
    "UNREAD": "Unread|Ungelesen|Non lu|Non lus|No leído|No leídos|Non letti|Da leggere|Não lida|Não lidas"
    "|Não lido|Não lidos|Ongelezen|Nieprzeczytane|Nepřečtené|Neprečítané|Olästa|Oläst|Ulest|Uleste"
    "|Ulæst|Ulæste|Lukemattomat|Okunmamış|Olvasatlan|Непрочитанные|Непрочитані|Μη αναγνωσμένα|未読"
    "|읽지않음|읽지 않음|未读|未讀",
    "STARRED": "Starred|Markiert|Suivi|Suivis|Messages suivis|Destacado|Destacados|Speciali|Com estrela|Met ster"
    "|Oznaczone gwiazdką|S hvězdičkou|S hviezdičkou|Stjärnmärkt|Stjernemerket|Stjernemarkeret"
    "|Tähdellä merkityt|Yıldızlı|Csillagozott|Помеченные|Із зірочкою|Με αστέρι|スター付き|별표편지함"
    "|已加星标|已加星號",
    "IMPORTANT": "Important|Wichtig|Importants|Importante|Importantes|Importanti|Belangrijk|Ważne|Důležité"
    "|Dôležité|Viktigt|Viktig|Vigtige|Vigtigt|Tärkeät|Önemli|Fontos|Важное|Важливо|Σημαντικά|重要"
    "|중요편지함|重要邮件|重要郵件",
    "": "Opened|Geöffnet|Ouvert|Ouverts|Abierto|Abiertos|Aperto|Aperti|Aberto|Abertos|Geopend|Otwarte"
    "|Otevřené|Otvorené|Öppnade|Öppnat|Åpnet|Åbnet|Avatut|Açıldı|Megnyitva|Открытые|Відкриті|開封済み"
    "|열어본 메일|已打开|已開啟|Archived|Archiviert|Archivé|Archivés|Messages archivés|Archivado"
    "|Archivados|Archiviati|Arquivado|Arquivados|Gearchiveerd|Zarchiwizowane|Archivováno|Archivované"
    "|Arkiverat|Arkiverade|Arkivert|Arkiveret|Arkistoidut|Arşivlendi|Archivált|Архивированные"
    "|Архівовані|アーカイブ済み|보관됨|已归档|已封存|All Mail|Alle Nachrichten|Tous les messages",
}
_CATEGORY_WORDS = ("category", "kategorie", "catégorie", "categoría", "categoria", "categorie", "kategoria")
_CATEGORIES = {
    "CATEGORY_PERSONAL": "Personal|Persönlich|E-mails personnels|Personnel|Principal|Personali|Pessoal|Persoonlijk"
    "|Osobiste|Osobní",
    "CATEGORY_PROMOTIONS": "Promotions|Werbung|Promociones|Promozioni|Promoções|Reclame|Oferty|Promoce",
    "CATEGORY_SOCIAL": "Social|Soziale Medien|Réseaux sociaux|Sociales|Sociaal|Społeczności|Sociální sítě",
    "CATEGORY_UPDATES": "Updates|Neuigkeiten|Benachrichtigungen|Notifications|Actualizaciones|Notificaciones"
    "|Aggiornamenti|Atualizações|Aktualizacje|Aktualizace",
    "CATEGORY_FORUMS": "Forums|Foren|Foros|Forum|Fóruns|Fora|Fóra",
}
# Folder files of Thunderbird and mutt: only an exact name counts ("All mail Including Spam and Trash" is no trash).
_FOLDERS = {
    "inbox": "INBOX",
    "sent": "SENT",
    "sent mail": "SENT",
    "sent items": "SENT",
    "trash": "TRASH",
    "deleted": "TRASH",
    "deleted items": "TRASH",
    "junk": "SPAM",
    "spam": "SPAM",
    "drafts": "DRAFT",
}


def _table(spellings: dict[str, str]) -> dict[str, str]:
    return {_folded(name): label for label, names in spellings.items() for name in names.split("|")}


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


_SYSTEM = _table(_SPELLINGS)
_CATEGORY = _table(_CATEGORIES)


@dataclass(frozen=True, slots=True)
class ExportedLabels:
    """The labels of one message: Gmail ids and own names, in order, each once.

    `understood` is False when no name was one of Gmail's own: an empty header, or a language this table lacks.
    """

    labels: tuple[str, ...]
    understood: bool


def exported_labels(header: str) -> ExportedLabels:
    """Translate the value of one X-Gmail-Labels header."""
    found: dict[str, None] = {}
    understood = False
    for name in _names(decoded(header)):
        label = _system_label(name)
        understood = understood or label is not None
        if label is None:
            label = name
        if label:
            found[label] = None
    return ExportedLabels(tuple(found), understood)


def folder_label(path: PurePath) -> str | None:
    """The label that a mail program's folder file stands for, or None when its name says nothing."""
    name = path.parent.name if path.name == "mbox" else path.name
    return _FOLDERS.get(_folded(name.removesuffix(".gz").removesuffix(".mbox").replace("_", " ")))


def decoded(value: str) -> str:
    """Decode RFC 2047 words and raw 8-bit text; what cannot be decoded is replaced, never refused."""
    value = value.replace("\r", "").replace("\n", "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        words = decode_header(value)
    except ValueError:
        return value
    pieces: list[str] = []
    for text, charset in words:
        if isinstance(text, str):
            pieces.append(text)
            continue
        try:
            pieces.append(text.decode(charset or "utf-8", "replace"))
        except LookupError:
            pieces.append(text.decode("utf-8", "replace"))
    return "".join(pieces)


def _names(line: str) -> Iterator[str]:
    """Split at commas outside quotes; quotes may be doubled, as in German categories: `Kategorie: ""Foren""`."""
    name, quoted = "", False
    for character in line:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            yield name.strip()
            name = ""
        else:
            name += character
    yield name.strip()


def _system_label(name: str) -> str | None:
    """Gmail's id for one of its own names, "" for a state that is no label, None for a person's own label."""
    folded = _folded(name)
    if not folded:
        return None
    if folded in _SYSTEM:
        return _SYSTEM[folded]
    if folded.startswith("imap_"):
        return ""
    for word in _CATEGORY_WORDS:
        rest = folded.removeprefix(word).lstrip(" ")
        category = _CATEGORY.get(rest.lstrip(": ").strip("„“”«» ")) if rest != folded else None
        if category or (rest != folded and rest.startswith(":")):
            return category or ""
    return None
