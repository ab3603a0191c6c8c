"""Made-up people. Any likeness is chance: both lists are everyday first names beside invented surnames."""

from __future__ import annotations

from random import Random

from ecm.simulator.chance import listed

FIRST_NAMES = listed(
    """
    Ada Agnes Alan Albert Alma Amir Anjali Arthur Audrey Barbara Beryl Bilal Brian Carys Cecil Chidi
    Clive Colin Dai Daisy Derek Dilip Doreen Dorothy Edith Edna Elsie Enid Ernest Esme Eunice Farah
    Florence Frank Freda Geeta George Gladys Gordon Grace Gwen Harjit Hazel Henry Hilda Ines Irene Ivor
    Jagdish Jean Joan Joyce Kamla Kenneth Kofi Leela Leonard Lilian Mabel Malik Margaret Maud Mavis
    Mehmet Meena Mina Muriel Nadia Nesta Norman Nora Olive Oscar Parveen Pearl Peggy Percy Phyllis Priya
    Ralph Ravi Reginald Rhoda Rita Ronald Rose Roy Ruby Sadie Salma Samir Sheila Sidney Stella Sunita
    Sybil Tara Thelma Usha Vera Victor Violet Walter Wanda Wilfred Winifred Yusuf Zainab Zoran
    """
)

SURNAMES = listed(
    """
    Abbotsley Alderwick Amberley-Fox Appledown Ashbrindle Bandaranath Barrowdene Bellwether Birchmoor
    Bramblecote Brightwell Cattermoss Chaudhrani Copperfold Cragthorpe Dalimore Deepcote Dovedale-Shah
    Eastermoor Elmstead-Rao Fallowby Fennimarsh Fernhalgh Foxwhistle Garrowby Gildersleat Goldhanger
    Greenacrest Haddlesey Halvorane Harrowgill Hazelbrook Heatherlow Holloway-Desai Inkersole Jasperling
    Kandalwar Kettlewick Kingsmarl Lambsgate Larkrise Lindenholt Loxleigh Maplethorn Marchbanksy
    Meadowcraft Millerstane Mistrywala Mossfield Nettlefold Nightingay Oakhanger Okonjare Orchardley
    Osterwick Patelwick Pebblemere Penhallam Pickersby Plumridge Quillstone Rainsbarrow Redfernley
    Rushcliff Saddlewood Sandalmere Sharmaville Silverthorn Sorrelby Sparrowhill Stonechurch Summerlee
    Swallowfold Tamberlane Thackerwell Thistlewood Tindallow Umberleigh Vanterpoole Wagstaffe-Li
    Waterhithe Weatherlam Whinfell Willowbank Winterbourne-Ali Wrenfield Yaffleton Yarrowsmith Zephyrine
    """
)

PROVIDER_NAMES = listed(
    """
    Acorn Lane, Bluebell, Candlelight, Daybreak, Evergreen Door, Fairweather, Good Morning, Hearthside,
    Ivy Gate, Juniper, Kindly Knock, Lantern, Marigold, Nightjar, Open Gate, Primrose, Quiet Street,
    Robin's Nest, Sunrise Street, Teapot, Umbrella, Village Green, Warm Welcome, Yellow Door, Zest
    """,
    ",",
)


def person_name(rng: Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(SURNAMES)}"


def provider_name(number: int) -> str:
    """The number-th provider's name, counting from 0; when the list is used up, it begins again with a 2."""
    turn, index = divmod(number, len(PROVIDER_NAMES))
    return f"{PROVIDER_NAMES[index]} Homecare" + (f" {turn + 1}" if turn else "")
