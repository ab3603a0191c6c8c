"""Română."""

from __future__ import annotations

VOICE = ("Polly.Carmen", "ro-RO")

TEXTS = {
    "welcome": "Bun venit la înregistrarea vizitelor.",
    "for_this_language": "Pentru română, apăsați {digits}, apoi diez.",
    "ask_pin": "Introduceți PIN-ul, apoi diez.",
    "ask_staff": "Introduceți numărul de angajat sau numărul telefonului mobil personal, apoi diez.",
    "ask_way": "Pentru sosire, apăsați 1. Pentru plecare, apăsați 2.",
    "offer_person": "Pentru {person}, apăsați {digits}.",
    "offer_person_at": "Pentru {person}, la ora {time}, apăsați {digits}.",
    "ask_other": "Pentru altcineva, apăsați {digits}.",
    "ask_card": "Introduceți numărul cardului din locuință, apoi diez. Dacă nu există, apăsați diez.",
    "ask_code": "Introduceți codul afișat acum de cardul din locuință, apoi diez. Dacă nu există, apăsați diez.",
    "ask_answered": "Aici înregistrarea vizitelor, vă sunăm înapoi. Introduceți codul primit.",
    "ask_tasks": "Introduceți numerele sarcinilor făcute, de la 1 la {digits}, apoi diez. Sau închideți acum.",
    "help_welcome": "PIN-ul este numărul primit de la birou. Apăsați diez după el.",
    "help_staff": "Numărul de angajat este pe ecuson sau în program. Puteți introduce și numărul mobilului personal.",
    "help_pin": "PIN-ul este numărul primit de la birou. Dacă nu sunteți așteptat aici azi, apăsați 9, apoi diez.",
    "help_way": "Apăsați 1 la sosire și 2 la plecare. Ora contează din acel moment.",
    "help_person": "Apăsați numărul spus pentru persoana vizitată.",
    "help_card": "Numărul este tipărit pe card. Ora este deja reținută.",
    "help_code": "Cardul afișează un cod nou în fiecare minut. Ora este deja reținută.",
    "help_answered": "Cine s-a înregistrat adineauri a primit patru cifre. Oricine altcineva poate închide.",
    "help_tasks": "Numerele sunt cele din planul de îngrijire. Ora este deja înregistrată.",
    "not_heard": "Nu s-a introdus nimic.",
    "not_understood": "Aceasta nu este una dintre opțiuni.",
    "nothing_recorded": "Nu s-a înregistrat nimic. Sunați din nou sau anunțați biroul.",
    "goodbye": "La revedere.",
    "staff_unknown": "Acest număr nu este cunoscut.",
    "pin_wrong": "Acest PIN nu este cunoscut aici. Dacă nu sunteți așteptat aici azi, apăsați 9, apoi diez.",
    "pin_unclear": "Mai multe persoane de aici au acest PIN.",
    "too_many_here": "S-au introdus prea multe PIN-uri greșite de la acest telefon.",
    "too_many": "S-au introdus prea multe PIN-uri greșite. Încercați peste un sfert de oră sau anunțați biroul.",
    "card_unknown": "Acest card nu este cunoscut.",
    "caller_mobile": "Sunați de pe un mobil. Vizita se înregistrează, cu această mențiune.",
    "caller_unknown": "Acesta nu este telefonul din locuința persoanei. Vizita se înregistrează, cu această mențiune.",
    "caller_withheld": "Numărul este ascuns. Vizita se înregistrează, cu această mențiune.",
    "ring_back": "Vă sunăm acum înapoi la acest telefon. Închideți, răspundeți și introduceți {digits}."
    " Încă o dată: {digits}.",
    "checked_in": "Sunteți la {person}. Este ora {time}. Sosirea este înregistrată.",
    "checked_in_somewhere": "Este ora {time}. Sosirea este înregistrată. Biroul va vedea a cui este locuința.",
    "checked_out": "Plecați de la {person}. Este ora {time}. Plecarea este înregistrată.",
    "checked_out_somewhere": "Este ora {time}. Plecarea este înregistrată. Biroul va vedea a cui este locuința.",
    "not_recorded": "Nu s-a putut înregistra. Anunțați biroul.",
    "tasks_kept": "Sarcinile sunt notate.",
    "try_again": "Un moment, vă rugăm.",
    "away": "Serviciul nu este disponibil acum. Sunați din nou peste câteva minute sau anunțați biroul.",
    "sms_in": "Sosire înregistrată la {person}, {time}.",
    "sms_in_somewhere": "Sosire înregistrată, {time}. Biroul va vedea a cui este locuința.",
    "sms_out": "Plecare înregistrată de la {person}, {time}.",
    "sms_out_somewhere": "Plecare înregistrată, {time}. Biroul va vedea a cui este locuința.",
    "sms_unknown_mobile": "Acest mobil nu este înregistrat la noi, deci nu s-a înregistrat nimic. Întrebați la birou.",
    "sms_unclear": "Nu s-a înregistrat nimic. Trimiteți INTRARE la sosire și IESIRE la plecare.",
    "sms_several": "Mai multe persoane au acest mobil. Adăugați PIN-ul: INTRARE, spațiu, PIN. Nu s-a înregistrat.",
    "sms_not_recorded": "Nu s-a putut înregistra. Anunțați biroul.",
}

TITLES = {"mr": "domnul", "mrs": "doamna", "ms": "doamna", "miss": "domnișoara", "dr": "doctor"}

DIGITS = ("zero", "unu", "doi", "trei", "patru", "cinci", "șase", "șapte", "opt", "nouă")

_HOURS_TO_19 = (
    "zero",
    "unu",
    "două",
    "trei",
    "patru",
    "cinci",
    "șase",
    "șapte",
    "opt",
    "nouă",
    "zece",
    "unsprezece",
    "douăsprezece",
    "treisprezece",
    "paisprezece",
    "cincisprezece",
    "șaisprezece",
    "șaptesprezece",
    "optsprezece",
    "nouăsprezece",
)
_TENS = ("", "", "douăzeci", "treizeci", "patruzeci", "cincizeci")


def clock(hour: int, minute: int) -> tuple[str, ...]:
    """9:02: nouă, și două minute."""
    return _number(hour), _past(minute)


def _past(minute: int) -> str:
    if minute == 0:
        return "fix"
    if minute == 1:
        return "și un minut"
    return f"și {_number(minute).replace('unu', 'una')} {'minute' if minute < 20 else 'de minute'}"


def _number(n: int) -> str:
    if n < 20:
        return _HOURS_TO_19[n]
    return f"{_TENS[n // 10]} și {_HOURS_TO_19[n % 10]}" if n % 10 else _TENS[n // 10]
